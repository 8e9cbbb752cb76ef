using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsGcCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string?> task = new("TASK")
        {
            Description = "The task's name or id. [default: all tasks]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> dryRun = new("--dry-run") { Description = "Only list them." };
        CliCommand command = new(
            "gc",
            "Removes files in the store that no event of a task names, as saves leave them that were cut off. Tasks do so by themselves "
                + "when another node takes them up. Files of the present owner's term stay: a save under way may have written them.",
            "actortrainer checkpoints gc --dry-run",
            "actortrainer checkpoints gc digits"
        )
        {
            task,
            dryRun,
        };
        Invocation.Set(command, cli, globals, call => CollectAsync(call, call.Args.GetValue(task), call.Value(dryRun)));
        return command;
    }

    private static async Task<int> CollectAsync(Invocation call, string? task, bool dryRun)
    {
        IEnumerable<string> tasks = task is not null
            ? [task]
            : (await call.Client.ListTasksAsync(cancellationToken: call.Interrupt)).Tasks.Select(view => view.Task.Value);
        List<TaskGarbage> found = [];
        int code = ExitCodes.Ok;
        foreach (string one in tasks)
        {
            try
            {
                found.Add(await call.Client.CollectGarbageAsync(one, dryRun, call.Interrupt));
            }
            catch (ActorTrainerApiException e) when (e.Status != 401)
            {
                // What one task's owner cannot say now must not keep the others from being asked.
                call.Note($"{one}: {e.Message}");
                code = ExitCodes.Failed;
            }
        }

        found.RemoveAll(garbage => garbage.Files.Count == 0);
        if (call.Json)
        {
            call.WriteJson<IReadOnlyList<TaskGarbage>>(found);
        }
        else if (found.Count > 0)
        {
            call.Write(Rows(found));
        }

        StoreFile[] files = [.. found.SelectMany(garbage => garbage.Files)];
        string size = Human.Bytes(files.Sum(file => file.Bytes ?? 0));
        string count = files.Length == 1 ? "1 file" : $"{Human.Number(files.Length)} files";
        call.Note(files.Length == 0 ? "there is nothing to remove" : $"{count}, {size}: {(dryRun ? "would be removed" : "removed")}");
        return code;
    }

    private static Table Rows(IReadOnlyList<TaskGarbage> found)
    {
        Table table = Tables.Create("~TASK", "~FILE", ">SIZE");
        foreach (TaskGarbage garbage in found)
        {
            foreach (StoreFile file in garbage.Files)
            {
                table.Row(new Text(garbage.Task.Value), new Text(file.Name), new Text(file.Bytes is { } bytes ? Human.Bytes(bytes) : ""));
            }
        }

        return table;
    }
}
