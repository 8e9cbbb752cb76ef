using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

internal static class TasksMigrateCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Option<string?> to = new("--to") { Description = "The node's address or name. [default: the policy chooses]", HelpName = "NODE" };
        CliCommand command = new(
            "migrate",
            "Saves a task and lets it go on, on another node.",
            "actortrainer tasks migrate digits",
            "actortrainer tasks migrate digits --to 127.0.0.1:7402"
        )
        {
            task,
            to,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                await call.Client.MigrateAsync(call.Value(task), call.Value(to), call.Interrupt);
                call.Note(
                    call.Value(to) is string target
                        ? $"{call.Value(task)}: moves to {target}"
                        : $"{call.Value(task)}: moves to another node"
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
