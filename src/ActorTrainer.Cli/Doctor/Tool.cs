using System.ComponentModel;
using System.Diagnostics;

namespace ActorTrainer.Cli.Doctor;

/// <summary>Runs a small program and reads what it prints.</summary>
internal static class Tool
{
    /// <summary>Whether it could be started, its exit code and the last line of its output.</summary>
    public static async Task<(bool Started, int Code, string Output)> RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await Task.WhenAll(output, error);
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            string[] lines = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return (true, process.ExitCode, lines.Length > 0 ? lines[^1] : "");
        }
        catch (Win32Exception)
        {
            return (false, -1, "");
        }
    }
}
