using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksWaitCommand
{
    /// <summary>Some six weeks: a timer can wait a little longer.</summary>
    private const int MaxSeconds = 4_000_000;

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> tasks = TaskArgument.Some(ArgumentArity.OneOrMore);
        Option<int?> timeout = new("--timeout")
        {
            Description = "Seconds to wait at most; then the exit code is 1. [default: no limit]",
            HelpName = "SECONDS",
        };
        CliCommand command = new(
            "wait",
            "Waits until tasks are finished or held.",
            "actortrainer tasks wait digits && echo trained",
            "actortrainer tasks wait digits-a digits-b --timeout 3600"
        )
        {
            tasks,
            timeout,
        };
        command.ExitCodeNote = "the task's own; of several, the first that is not 0. A held task: 1";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                string[] names = call.Value(tasks);
                int? seconds = call.Value(timeout) is int given ? Numbers.Within(1, MaxSeconds, given, "--timeout") : null;
                using CancellationTokenSource limit = seconds is int most
                    ? new CancellationTokenSource(TimeSpan.FromSeconds(most), cli.Time)
                    : new CancellationTokenSource();
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(call.Interrupt, limit.Token);
                try
                {
                    return await WaitAsync(call, names, either.Token);
                }
                catch (OperationCanceledException) when (limit.IsCancellationRequested && !call.Interrupt.IsCancellationRequested)
                {
                    throw new CommandFailedException(
                        $"not finished after {Human.Duration(TimeSpan.FromSeconds(seconds!.Value))}; the tasks go on"
                    );
                }
            }
        );
        return command;
    }

    private static async Task<int> WaitAsync(Invocation call, string[] names, CancellationToken cancellationToken)
    {
        int code = ExitCodes.Ok;
        TaskFollower follower = new(call);
        await follower.LearnAsync(cancellationToken);
        foreach (string name in names)
        {
            TaskView ended = await follower.WaitAsync(name, _ => { }, cancellationToken);
            call.Note(TaskText.Ending(ended));
            code = code == ExitCodes.Ok ? TaskText.ExitCode(ended) : code;
        }

        return code;
    }
}
