using System.Diagnostics;
using System.Globalization;

namespace ActorTrainer.Bench.Checkpoints;

/// <summary>Runs what others use for the same bytes, and says how long it took.</summary>
internal static class OtherPrograms
{
    /// <summary>Milliseconds until a program has ended.</summary>
    /// <exception cref="InvalidOperationException">It failed; with what it printed.</exception>
    public static async Task<double> RunAsync(string program, params IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RESTIC_PASSWORD"] = "bench";
        Stopwatch watch = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        _ = await output;
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? watch.Elapsed.TotalMilliseconds
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors}");
    }

    /// <summary>A python3 that imports torch.</summary>
    public static string Python => Environment.GetEnvironmentVariable("ACTORTRAINER_PYTHON") ?? "/usr/bin/python3";

    /// <summary>The script beside this program.</summary>
    public static string TorchScript => Path.Combine(AppContext.BaseDirectory, "Checkpoints", "torch_state.py");
}

/// <summary>PyTorch with a state of its own, which it saves and loads when it is asked.</summary>
internal sealed class TorchState : IDisposable
{
    private readonly Process _python;

    private TorchState(Process python) => _python = python;

    /// <param name="what">keep or train.</param>
    /// <param name="folder">Where its files are.</param>
    /// <param name="size">MiB of the state, or the network's width.</param>
    public static async Task<TorchState> StartAsync(string what, string folder, long size)
    {
        ProcessStartInfo start = new(
            OtherPrograms.Python,
            [OtherPrograms.TorchScript, what, folder, size.ToString(CultureInfo.InvariantCulture)]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        TorchState torch = new(Process.Start(start)!);
        return await torch._python.StandardOutput.ReadLineAsync() == "ready"
            ? torch
            : throw new InvalidOperationException("a python3 with torch is needed: see ACTORTRAINER_PYTHON");
    }

    /// <param name="what">save or load, or step.</param>
    /// <returns>Milliseconds, as measured there.</returns>
    public async Task<double> DoAsync(string what)
    {
        await _python.StandardInput.WriteLineAsync(what);
        string? answer = await _python.StandardOutput.ReadLineAsync();
        return answer is null
            ? throw new InvalidOperationException($"torch could not {what}")
            : double.Parse(answer, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _python.StandardInput.Close();
        _python.WaitForExit();
        _python.Dispose();
    }
}
