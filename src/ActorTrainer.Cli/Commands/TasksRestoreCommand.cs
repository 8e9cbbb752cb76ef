using System.CommandLine;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Cli.Commands;

internal static class TasksRestoreCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Option<string> from = new("--from")
        {
            Description =
                "The checkpoint's name or tag, of those that 'actortrainer checkpoints ls TASK' lists. Later ones stay listed until a "
                + "newer one is committed, and can be chosen again.",
            HelpName = "CHECKPOINT",
            Required = true,
        };
        CliCommand command = new(
            "restore",
            "Lets a task go on from one of its checkpoints: one that runs after its grace, one that waits, is held or has failed at once, "
                + "a paused one when it is resumed.",
            "actortrainer tasks restore digits --from c-3-1200-k3f9a2bc"
        )
        {
            task,
            from,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                string named = call.Value(from)!;
                string checkpoint = CheckpointNames.TryParse(named, out _)
                    ? named
                    : (await CheckpointId.FindAsync(call, call.Value(task), named)).Checkpoint.Name;
                await call.Client.RestoreAsync(call.Value(task), checkpoint, call.Interrupt);
                call.Note($"{call.Value(task)}: goes on from {checkpoint}");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
