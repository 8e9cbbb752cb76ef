using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorTrainer.Build;

/// <summary>How a child process ended.</summary>
/// <param name="ExitCode">Its exit code; meaningless when it timed out.</param>
/// <param name="TimedOut">Whether it was ended, with all its descendants, because its time was up.</param>
/// <param name="OutputHeldOpen">Whether something it started still lived, and held its output open, after it had ended.</param>
/// <param name="Output">What it wrote to its output and error streams.</param>
internal sealed record ChildResult(int ExitCode, bool TimedOut, bool OutputHeldOpen, string Output);

/// <summary>Starts other programs.</summary>
internal static class ChildProcess
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    /// <summary>Runs a program on this console; interrupts are left to it, an end asked of this process ends it too.</summary>
    /// <returns>Its exit code.</returns>
    public static async Task<int> RunInheritedAsync(
        string file,
        IEnumerable<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment
    )
    {
        ConsoleCancelEventHandler ignore = (_, e) => e.Cancel = true;
        Console.CancelKeyPress += ignore;
        try
        {
            using Process process = Start(file, arguments, folder, environment, redirect: false);
            using PosixSignalRegistration end = EndWith(process);
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        finally
        {
            Console.CancelKeyPress -= ignore;
        }
    }

    /// <summary>Runs a program without input and keeps what it writes.</summary>
    /// <param name="file">The program, looked up on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Its working folder.</param>
    /// <param name="environment">Variables to add to its environment.</param>
    /// <param name="timeout">After this it is killed with its descendants.</param>
    /// <param name="echo">Where its lines are shown as they come; null: nowhere.</param>
    /// <exception cref="Win32Exception">There is no such program.</exception>
    public static async Task<ChildResult> RunCapturedAsync(
        string file,
        IEnumerable<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment,
        TimeSpan timeout,
        TextWriter? echo = null
    )
    {
        using Process process = Start(file, arguments, folder, environment, redirect: true);
        using PosixSignalRegistration end = EndWith(process);
        process.StandardInput.Close();
        StringBuilder output = new();
        Task pumps = Task.WhenAll(PumpAsync(process.StandardOutput, output, echo), PumpAsync(process.StandardError, output, echo));

        using ManualExit exit = new(process);
        bool timedOut = await Task.WhenAny(exit.Ended, Task.Delay(timeout)) != exit.Ended;
        if (timedOut)
        {
            process.Kill(entireProcessTree: true);
            await exit.Ended;
        }

        // A descendant that was left behind keeps the pipe open; it must not hold up the run.
        bool drained = await Task.WhenAny(pumps, Task.Delay(DrainTime)) == pumps;
        lock (output)
        {
            return new ChildResult(process.ExitCode, timedOut, !drained, output.ToString());
        }
    }

    private static PosixSignalRegistration EndWith(Process process) =>
        PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            _ =>
            {
                try
                {
                    process.Kill(entireProcessTree: true);
                }
                catch (InvalidOperationException)
                {
                    // It has ended by itself meanwhile.
                }
            }
        );

    private static async Task PumpAsync(StreamReader reader, StringBuilder output, TextWriter? echo)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (output)
            {
                output.AppendLine(line);
                echo?.WriteLine(line);
            }
        }
    }

    private static Process Start(
        string file,
        IEnumerable<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment,
        bool redirect
    )
    {
        ProcessStartInfo start = new(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = redirect,
            RedirectStandardOutput = redirect,
            RedirectStandardError = redirect,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start.");
    }

    /// <summary>The end of the process alone; <see cref="Process.WaitForExitAsync"/> may wait for its streams as well.</summary>
    private sealed class ManualExit : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Process _process;

        public ManualExit(Process process)
        {
            _process = process;
            process.Exited += OnExited;
            process.EnableRaisingEvents = true;
        }

        public Task Ended => _ended.Task;

        public void Dispose() => _process.Exited -= OnExited;

        private void OnExited(object? sender, EventArgs e) => _ended.TrySetResult();
    }
}
