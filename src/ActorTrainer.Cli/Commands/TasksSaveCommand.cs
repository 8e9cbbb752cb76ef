using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksSaveCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        TaskControl.Create(
            cli,
            globals,
            "save",
            "Takes a checkpoint of running tasks now.",
            "asked to save",
            (ActorTrainerClient client, string task, CancellationToken cancellationToken) => client.SaveAsync(task, cancellationToken)
        );
}
