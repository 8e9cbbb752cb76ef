using System.Net.Sockets;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Training.Worker;

/// <summary>The worker process: finds its node by the environment and trains.</summary>
internal static class WorkerProgram
{
    public const string SocketVariable = "ACTORTRAINER_SOCKET";
    public const string RunVariable = "ACTORTRAINER_RUN";
    public const string SpareVariable = "ACTORTRAINER_SPARE";

    /// <summary>Runs to the end of training, a stop, an error or the loss of the node; gives the exit code.</summary>
    public static async Task<int> RunAsync(TimeProvider time)
    {
        string? address = Environment.GetEnvironmentVariable(SocketVariable);
        string? run = Environment.GetEnvironmentVariable(RunVariable);
        if (string.IsNullOrEmpty(address) || string.IsNullOrEmpty(run))
        {
            await Console.Error.WriteLineAsync(
                $"worker: {SocketVariable} and {RunVariable} are not set. Workers are started by a node; submit a task instead."
            );
            return WorkerExitCodes.Usage;
        }

        HugePages.UseForHeap();
        bool spare = Environment.GetEnvironmentVariable(SpareVariable) is not null;
        if (spare)
        {
            _ = await WorkerRehearsal.RunAsync(address, Path.GetFullPath("rehearsal"), time);
        }

        WorkerLink link;
        try
        {
            link = WorkerLink.Connect(address, NodeGone);
        }
        catch (SocketException problem)
        {
            await Console.Error.WriteLineAsync($"worker: the node does not answer at {address}: {problem.Message}");
            return WorkerExitCodes.NodeGone;
        }

        using (link)
        {
            return await new WorkerLoop(link, run, TrainerLocator.Create, time, Console.Error, spare).RunAsync();
        }
    }

    // Without its node a worker may be one of two for its task: nothing it computes from here on counts, so it does not finish the step.
    private static void NodeGone()
    {
        Console.Error.WriteLine("worker: the node closed the connection; ending.");
        Environment.Exit(WorkerExitCodes.NodeGone);
    }
}

/// <summary>Exit codes of a worker, after sysexits.h where it has one.</summary>
internal static class WorkerExitCodes
{
    public const int Success = 0;
    public const int Usage = 64;
    public const int TrainerFailed = 70;
    public const int NodeGone = 71;
}
