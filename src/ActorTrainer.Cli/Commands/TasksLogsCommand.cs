using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class TasksLogsCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Option<bool> follow = new("--follow", "-f") { Description = "Go on until the task is finished, from node to node." };
        CliCommand command = new(
            "logs",
            "Prints the output of a task's runs, oldest first.",
            "actortrainer tasks logs digits",
            "actortrainer tasks logs -f digits"
        )
        {
            task,
            follow,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                if (call.Value(follow))
                {
                    await call.Client.LearnNodesAsync(call.Interrupt);
                }

                string name = call.Value(task);
                await call.Client.GetTaskAsync(name, call.Interrupt);
                await call.Client.CopyOutputAsync(name, cli.OutBytes, call.Value(follow), call.Note, call.Interrupt);
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
