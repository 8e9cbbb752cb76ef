using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// The guard process: parent of all workers of one node. It starts them, carries their output, collects how they end, and ends them with
/// all their descendants when the node asks, dies or falls silent. See docs/formats/worker-protocol.md.
/// </summary>
public static class GuardProgram
{
    /// <summary>The verb by which an executable is asked to be the guard.</summary>
    public const string Verb = "guard";

    internal const string SelfFenceOption = "--self-fence-after-ms";
    internal const string NodeOption = "--node-dir";

    /// <summary>Is the guard until its standard input closes or the node falls silent; returns the exit code.</summary>
    /// <param name="args">The arguments of the process, with or without <see cref="Verb"/>. It is started by the node, not by hand.</param>
    public static Task<int> RunAsync(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (OperatingSystem.IsWindows())
        {
            Console.Error.WriteLine("The guard does not run on Windows in this version.");
            return Task.FromResult(2);
        }

        if (!TryReadSelfFence(args, out TimeSpan selfFenceAfter))
        {
            Console.Error.WriteLine($"The guard is started by a node: guard {NodeOption} DIR {SelfFenceOption} MILLISECONDS.");
            return Task.FromResult(2);
        }

        // A session of its own: Ctrl-C and a closed terminal reach the node alone, which then stops its workers in order.
        _ = Posix.SetSession();
        foreach (int signal in (int[])[Posix.SignalHangup, Posix.SignalInterrupt, Posix.SignalQuit, Posix.SignalTerminate])
        {
            _ = Posix.Signal(signal, handler: 1);
        }

        Posix.KeepDescriptorsFromChildren();
        _ = Posix.TrySetChildSubreaper();
        using Stream output = Console.OpenStandardOutput();
        using GuardOutbox outbox = new(output);
        GuardCore guard = new(outbox.Send, TimeProvider.System, selfFenceAfter);
        guard.Begin();
        outbox.Send(new GuardReady(Environment.ProcessId));
        ReadUntilClosed(guard);
        guard.EndEverything();
        return Task.FromResult(0);
    }

    private static void ReadUntilClosed(GuardCore guard)
    {
        using StreamReader input = new(Console.OpenStandardInput(), Encoding.UTF8);
        try
        {
            while (input.ReadLine() is { } line)
            {
                try
                {
                    guard.Handle(GuardMessage.Parse(Encoding.UTF8.GetBytes(line)));
                }
                catch (JsonException e)
                {
                    Console.Error.WriteLine($"not a message: {e.Message}");
                }
            }
        }
        catch (IOException)
        {
            // As good as closed.
        }
    }

    private static bool TryReadSelfFence(IReadOnlyList<string> args, out TimeSpan selfFenceAfter)
    {
        selfFenceAfter = default;
        for (int i = 0; i + 1 < args.Count; i++)
        {
            if (
                args[i] == SelfFenceOption
                && long.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out long milliseconds)
            )
            {
                selfFenceAfter = TimeSpan.FromMilliseconds(milliseconds);
                return true;
            }
        }

        return false;
    }
}
