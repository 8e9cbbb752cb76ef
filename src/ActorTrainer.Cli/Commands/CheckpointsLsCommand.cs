using System.CommandLine;
using ActorTrainer.Checkpoints;
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
        Option<bool> files = new("--files") { Description = "The files of each checkpoint of TASK." };
        CliCommand command = new(
            "ls",
            "Lists checkpoints, newest first. A task keeps its newest (keep-last), its best, the one last restored from and those that are "
                + "pinned or tagged. One that is at risk is not copied yet: the loss of its machine loses it.",
            "actortrainer checkpoints ls",
            "actortrainer checkpoints ls digits",
            "actortrainer checkpoints ls digits --files"
        )
        {
            task,
            files,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                string? name = call.Args.GetValue(task);
                if (call.Value(files) && name is null)
                {
                    throw new UsageException("--files: name the task");
                }

                CheckpointList list = await call.Client.ListCheckpointsAsync(name, call.Interrupt);
                if (call.Value(files))
                {
                    return await ListFilesAsync(call, list.Checkpoints);
                }

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

                call.Write(Rows(call, list));
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static Table Rows(Invocation call, CheckpointList list)
    {
        HashSet<string> atRisk = [.. list.AtRisk ?? []];
        Table table = Tables.Create("~TASK", "CHECKPOINT", ">STEP", "REASON", ">SIZE", "TAKEN", "~");
        foreach (CheckpointListing listing in list.Checkpoints)
        {
            table.Row(
                new Text(listing.Task.Value),
                new Text(listing.Checkpoint.Name),
                new Text(ProgressText.StepCell(listing.Checkpoint)),
                new Text(listing.Checkpoint.Reason),
                new Text(Human.Bytes(listing.Checkpoint.Bytes)),
                new Text(call.Times.Show(listing.Time)),
                new Text(
                    string.Join(", ", Marks(listing, atRisk.Contains(listing.Checkpoint.Name))),
                    new Style(listing.Damaged ? Color.Red : Color.Yellow)
                )
            );
        }

        return table;
    }

    private static IEnumerable<string> Marks(CheckpointListing listing, bool atRisk)
    {
        if (atRisk)
        {
            yield return "at risk";
        }

        if (listing.Damaged || listing.SetAside || listing.Overtaken)
        {
            yield return listing.Damaged ? "DAMAGED"
            : listing.SetAside ? "set aside"
            : "overtaken";
        }

        if (listing.Pinned)
        {
            yield return "pinned";
        }

        foreach (string tag in listing.Tags)
        {
            yield return $"tag {tag}";
        }
    }

    private static async Task<int> ListFilesAsync(Invocation call, IReadOnlyList<CheckpointListing> checkpoints)
    {
        List<CheckpointFiles> listed = [];
        foreach (CheckpointListing listing in checkpoints)
        {
            try
            {
                listed.Add(await call.Client.ListCheckpointFilesAsync(listing.Task.Value, listing.Checkpoint.Name, call.Interrupt));
            }
            catch (ActorTrainerApiException e) when (e.Status == 409)
            {
                call.Note($"{listing.Checkpoint.Name}: {e.Problem}");
            }
        }

        if (call.Json)
        {
            call.WriteJson<IReadOnlyList<CheckpointFiles>>(listed);
            return ExitCodes.Ok;
        }

        Table table = Tables.Create("~CHECKPOINT", "~PATH", ">SIZE", "MODE", "CHANGED");
        foreach (CheckpointFiles one in listed)
        {
            foreach (CheckpointFile file in one.Files)
            {
                table.Row(
                    new Text(one.Checkpoint),
                    new Text(NativeNames.Shown(file.Link is null ? file.Path : $"{file.Path} -> {file.Link}")),
                    new Text(file.Link is null ? Human.Bytes(file.Length) : ""),
                    new Text(file.Link is null ? file.Mode : ""),
                    new Text(file.Modified is { } modified ? call.Times.Show(modified) : "")
                );
            }
        }

        call.Write(table);
        return ExitCodes.Ok;
    }
}
