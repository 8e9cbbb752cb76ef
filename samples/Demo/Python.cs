using System.ComponentModel;
using System.Diagnostics;

namespace ActorTrainer.Samples.Demo;

/// <summary>Finds a Python that has PyTorch.</summary>
internal static class Python
{
    private const string Variable = "ACTORTRAINER_PYTHON";

    /// <summary>Its path, or null.</summary>
    public static async Task<string?> FindAsync(CancellationToken cancellationToken)
    {
        // ./build.sh has looked already and says what it found.
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } told)
        {
            return told;
        }

        foreach (string candidate in new[] { "python3", "/usr/bin/python3" })
        {
            if (await HasTorchAsync(candidate, cancellationToken) is { } path)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>The interpreter's own path: a name may mean something else to a node's worker.</summary>
    private static async Task<string?> HasTorchAsync(string python, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(python, ["-c", "import torch, sys; print(sys.executable)"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? output.Trim().Split('\n')[^1] : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
