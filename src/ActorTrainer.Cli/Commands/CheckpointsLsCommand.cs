using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsLsCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string?> task = new("TASK")
        {
            Description = "The task's name or id. [default: all tasks]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        CliCommand command = new(
            "ls",
            "Lists checkpoints, newest first. A task keeps its newest (keep-last), its best and the one last restored from.",
            "actortrainer checkpoints ls",
            "actortrainer checkpoints ls digits"
        )
        {
            task,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointList list = await call.Client.ListCheckpointsAsync(call.Args.GetValue(task), call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(list);
                    return ExitCodes.Ok;
                }

                if (list.Checkpoints.Count == 0)
                {
                    call.Note("there are no checkpoints");
                    return ExitCodes.Ok;
                }

                Table table = Tables.Create("~TASK", "~CHECKPOINT", ">STEP", "REASON", ">SIZE", "TAKEN", "");
                foreach (CheckpointListing listing in list.Checkpoints)
                {
                    table.Row(
                        new Text(listing.Task.Value),
                        new Text(listing.Checkpoint.Name),
                        new Text(Human.Number(listing.Checkpoint.Step)),
                        new Text(listing.Checkpoint.Reason),
                        new Text(Human.Bytes(listing.Checkpoint.Bytes)),
                        new Text(call.Times.Show(listing.Time)),
                        new Text(listing.Damaged ? "DAMAGED" : "", new Style(Color.Red))
                    );
                }

                call.Write(table);
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
