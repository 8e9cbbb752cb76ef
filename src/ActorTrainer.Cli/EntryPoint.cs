using ActorTrainer.Runtime;

namespace ActorTrainer.Cli;

/// <summary>Where the process begins.</summary>
internal static class EntryPoint
{
    public static async Task<int> Main(string[] args)
    {
        // A node starts this executable again for each worker.
        if (await ActorTrainerWorker.TryRunAsync(args))
        {
            return Environment.ExitCode;
        }

        return await CliProgram.RunAsync(args, CliContext.ForProcess());
    }
}
