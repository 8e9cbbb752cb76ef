using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksWaitCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> tasks = TaskArgument.Some(ArgumentArity.OneOrMore);
        Option<int> timeout = new("--timeout")
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
                using CancellationTokenSource limit =
                    call.Value(timeout) > 0
                        ? new CancellationTokenSource(TimeSpan.FromSeconds(call.Value(timeout)), cli.Time)
                        : new CancellationTokenSource();
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(call.Interrupt, limit.Token);
                try
                {
                    return await WaitAsync(call, names, either.Token);
                }
                catch (OperationCanceledException) when (limit.IsCancellationRequested && !call.Interrupt.IsCancellationRequested)
                {
                    throw new CommandFailedException(
                        $"not finished after {Human.Duration(TimeSpan.FromSeconds(call.Value(timeout)))}; the tasks go on"
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
