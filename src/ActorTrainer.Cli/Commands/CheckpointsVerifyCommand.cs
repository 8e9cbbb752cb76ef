using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsVerifyCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Argument<string?> name = CheckpointsShowCommand.NameArgument();
        Option<bool> all = new("--all", "-a") { Description = "All checkpoints of the task." };
        CliCommand command = new(
            "verify",
            "Reads and hashes everything of a checkpoint in the store.",
            "actortrainer checkpoints verify digits",
            "actortrainer checkpoints verify digits --all"
        )
        {
            task,
            name,
            all,
        };
        command.ExitCodeNote = "1 when a checkpoint is damaged";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                IEnumerable<string> names = call.Value(all)
                    ? (await call.Client.ListCheckpointsAsync(call.Value(task), call.Interrupt)).Checkpoints.Select(listing =>
                        listing.Checkpoint.Name
                    )
                    : [(await CheckpointsShowCommand.FindAsync(call, call.Value(task), call.Args.GetValue(name))).Checkpoint.Name];
                List<CheckpointVerification> results = [];
                foreach (string checkpoint in names)
                {
                    results.Add(await call.Client.VerifyCheckpointAsync(call.Value(task), checkpoint, call.Interrupt));
                }

                if (call.Json)
                {
                    call.WriteJson<IReadOnlyList<CheckpointVerification>>(results);
                }
                else
                {
                    call.Write(Rows(results));
                }

                return results.All(result => result.Intact) ? ExitCodes.Ok : ExitCodes.Failed;
            }
        );
        return command;
    }

    private static Table Rows(IReadOnlyList<CheckpointVerification> results)
    {
        Table table = Tables.Create("~CHECKPOINT", "RESULT", ">READ", "~DETAIL");
        foreach (CheckpointVerification result in results)
        {
            table.Row(
                new Text(result.Checkpoint),
                new Text(result.Intact ? "intact" : "DAMAGED", new Style(result.Intact ? Color.Green : Color.Red)),
                new Text(Human.Bytes(result.BytesRead)),
                new Text(result.Detail)
            );
        }

        return table;
    }
}
