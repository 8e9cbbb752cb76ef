using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksPauseCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        TaskControl.Create(
            cli,
            globals,
            "pause",
            "Saves tasks, stops their workers and waits for resume.",
            "paused",
            (ActorTrainerClient client, string task, CancellationToken cancellationToken) => client.PauseAsync(task, cancellationToken)
        );
}
