using ActorTrainer.Bench.Checkpoints;
using ActorTrainer.Bench.Common;
using ActorTrainer.Bench.Failover;
using ActorTrainer.Bench.Overhead;
using ActorTrainer.Bench.Scale;
using ActorTrainer.Bench.Soak;
using ActorTrainer.Bench.Torn;
using ActorTrainer.Runtime;

if (await ActorTrainerWorker.TryRunAsync(args))
{
    return Environment.ExitCode;
}

try
{
    switch (args.FirstOrDefault())
    {
        case "failover":
            return await FailoverBench.RunAsync(args[1..]);
        case "checkpoint":
            return await CheckpointBench.RunAsync(args[1..]);
        case "overhead":
            return await OverheadBench.RunAsync(args[1..]);
        case "scale":
            return await ScaleBench.RunAsync(args[1..]);
        case "soak":
            return await SoakRun.RunAsync(args[1..]);
        case "torn":
            return await TornBench.RunAsync(args[1..]);
        case TornScript.Verb:
            return TornScript.Run(args[1..]);
        default:
            throw new OptionException(
                "the benches are checkpoint, failover, overhead, scale, soak and torn; "
                    + "for example: ./build.sh bench failover --kills 10 --modes crash"
            );
    }
}
catch (OptionException e)
{
    await Console.Error.WriteLineAsync($"{args.FirstOrDefault() ?? "bench"}: {e.Message}.");
    return 2;
}
