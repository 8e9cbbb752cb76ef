using System.CommandLine;
using ActorTrainer.Cli.Hosting;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cli.Commands;

internal static class SubmitCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> file = new("FILE") { Description = "The task's configuration (HOCON or JSON)." };
        Option<string?> name = new("--name") { Description = "The task's name instead of the file's.", HelpName = "NAME" };
        Option<string[]> set = new("--set") { Description = "A key over the file's; may be repeated.", HelpName = "KEY=VALUE" };
        Option<string?> from = CheckpointId.StartOption();
        Option<bool> wait = new("--wait") { Description = "Follow the output until the task ends; exit with its code." };
        NodeEnvironmentOptions environment = new();
        BundleOptions files = new();
        CliCommand command = new(
            "submit",
            "Submits the task that a file describes. The same name and content is the same task.",
            "actortrainer submit digits.conf",
            "actortrainer submit digits.conf --name digits-b --set priority=5 --wait"
        )
        {
            file,
            name,
            set,
            from,
            wait,
        };
        environment.AddTo(command);
        files.AddTo(command);
        command.ExitCodeNote = "with --wait the task's own; a held task: 1";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskDraft draft = Read(bundled: true);
                if (draft.Bundle is null)
                {
                    draft = Read(bundled: false);
                }

                draft = draft with { Spec = await CheckpointId.StartFromAsync(call, draft.Spec, call.Value(from)) };
                TaskId id = await Submission.SendAsync(call, draft);
                if (call.Value(wait))
                {
                    return await RunCommand.FollowAsync(call, id, draft.Spec.Name);
                }

                if (call.Json)
                {
                    call.WriteJson(await call.Client.GetTaskAsync(id.Value, call.Interrupt));
                }

                return ExitCodes.Ok;

                TaskDraft Read(bool bundled)
                {
                    IReadOnlyList<Flag> flags =
                    [
                        .. KeyValues.Parse(call.Value(set), "--set", "priority=5"),
                        .. environment.Flags(call),
                        .. files.Flags(call, bundled),
                    ];
                    TaskDraft read = cli.Files.ReadTask(call.Value(file), cli.WorkingDirectory, flags);
                    return call.Value(name) is string given ? read with { Spec = read.Spec with { Name = given } } : read;
                }
            }
        );
        return command;
    }
}
