using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksCancelCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        TaskControl.Create(
            cli,
            globals,
            "cancel",
            "Ends tasks for good.",
            "cancelled",
            (ActorTrainerClient client, string task, CancellationToken cancellationToken) => client.CancelAsync(task, cancellationToken)
        );
}
