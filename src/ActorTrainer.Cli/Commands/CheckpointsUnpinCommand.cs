using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsUnpinCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        CheckpointControl.Create(
            cli,
            globals,
            "unpin",
            "Ends 'checkpoints pin': the checkpoint is kept as the others are, and the next save may remove it.",
            "is kept as the others are",
            (ActorTrainerClient client, string task, string checkpoint, CancellationToken cancellationToken) =>
                client.UnpinCheckpointAsync(task, checkpoint, cancellationToken)
        );
}
