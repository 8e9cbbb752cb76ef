using ActorTrainer.Runtime.Workers.Guard;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Runtime;

/// <summary>
/// Lets a program be its own worker: a node runs the program again, as <c>PROGRAM worker</c>, to train in a process of its own.
/// </summary>
public static class ActorTrainerWorker
{
    /// <summary>
    /// To be called first in <c>Main</c>: <c>if (await ActorTrainerWorker.TryRunAsync(args)) return;</c>. When the program was started by
    /// a node as a worker, this trains to the end and gives true; the exit code is set in <see cref="Environment.ExitCode"/>.
    /// </summary>
    /// <param name="args">The arguments of <c>Main</c>.</param>
    /// <returns>Whether the program ran as a worker and should end now.</returns>
    public static async Task<bool> TryRunAsync(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        switch (args.Length > 0 ? args[0] : "")
        {
            case "worker":
                Environment.ExitCode = await WorkerProgram.RunAsync(TimeProvider.System);
                return true;
            case "guard":
                Environment.ExitCode = await GuardProgram.RunAsync(args);
                return true;
            default:
                return false;
        }
    }
}
