using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsPinCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        CheckpointControl.Create(
            cli,
            globals,
            "pin",
            "Keeps a checkpoint, however many newer or better ones come, until it is unpinned. The task may have ended.",
            "is kept until 'actortrainer checkpoints unpin'",
            (ActorTrainerClient client, string task, string checkpoint, CancellationToken cancellationToken) =>
                client.PinCheckpointAsync(task, checkpoint, cancellationToken)
        );
}
