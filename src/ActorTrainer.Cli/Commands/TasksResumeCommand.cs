using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class TasksResumeCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals) =>
        TaskControl.Create(
            cli,
            globals,
            "resume",
            "Lets paused, held or failed tasks go on from their last checkpoint.",
            "goes on",
            (ActorTrainerClient client, string task, CancellationToken cancellationToken) => client.ResumeAsync(task, cancellationToken)
        );
}
