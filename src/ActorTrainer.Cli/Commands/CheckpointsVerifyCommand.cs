using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsVerifyCommand
{
    /// <summary>Rows that are shown together: what was found first is seen long before the last is read.</summary>
    private const int PageRows = 200;

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string?> task = new("TASK")
        {
            Description = "The task's name or id. [with --all: all tasks]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Argument<string?> name = CheckpointsShowCommand.NameArgument();
        Option<bool> all = new("--all", "-a") { Description = "All checkpoints of TASK, or without TASK those of all tasks." };
        CliCommand command = new(
            "verify",
            "Reads and hashes everything of a checkpoint in the store.",
            "actortrainer checkpoints verify digits",
            "actortrainer checkpoints verify digits --all",
            "actortrainer checkpoints verify --all"
        )
        {
            task,
            name,
            all,
        };
        command.ExitCodeNote = "1 when a checkpoint is damaged, or could not be looked at";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                string? given = call.Args.GetValue(task);
                return (given, call.Value(all)) switch
                {
                    (null, false) => throw new UsageException("name the task, or give --all for those of all tasks"),
                    (null, true) => await VerifyEverythingAsync(call),
                    (_, true) => await VerifyAsync(
                        call,
                        given,
                        (await call.Client.ListCheckpointsAsync(given, call.Interrupt)).Checkpoints.Select(listing =>
                            listing.Checkpoint.Name
                        )
                    ),
                    _ => await VerifyAsync(
                        call,
                        given,
                        [(await CheckpointsShowCommand.FindAsync(call, given, call.Args.GetValue(name))).Checkpoint.Name]
                    ),
                };
            }
        );
        return command;
    }

    private static async Task<int> VerifyAsync(Invocation call, string task, IEnumerable<string> names)
    {
        List<CheckpointVerification> results = [];
        foreach (string checkpoint in names)
        {
            results.Add(await call.Client.VerifyCheckpointAsync(task, checkpoint, call.Interrupt));
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

    /// <summary>One task after the other, each asked for what it lists when its turn comes.</summary>
    private static async Task<int> VerifyEverythingAsync(Invocation call)
    {
        Tally tally = new(call);
        foreach (TaskView task in (await call.Client.ListTasksAsync(cancellationToken: call.Interrupt)).Tasks)
        {
            try
            {
                CheckpointList list = await call.Client.ListCheckpointsAsync(task.Task.Value, call.Interrupt);
                foreach (CheckpointListing listing in list.Checkpoints)
                {
                    await tally.VerifyAsync(listing);
                }
            }
            catch (ActorTrainerApiException e) when (e.Status is not (401 or 404))
            {
                tally.Unseen(task.Task.Value, e.Message);
            }
        }

        return tally.Finish();
    }

    private static Table Rows(IReadOnlyList<CheckpointVerification> results, bool withTask = false)
    {
        string[] headers = ["~CHECKPOINT", "RESULT", ">READ", "~DETAIL"];
        Table table = Tables.Create(withTask ? ["~TASK", .. headers] : headers);
        foreach (CheckpointVerification result in results)
        {
            Text[] cells =
            [
                new Text(result.Checkpoint),
                new Text(result.Intact ? "intact" : "DAMAGED", new Style(result.Intact ? Color.Green : Color.Red)),
                new Text(Human.Bytes(result.BytesRead)),
                new Text(result.Detail),
            ];
            table.Row(withTask ? [new Text(result.Task?.Value ?? ""), .. cells] : cells);
        }

        return table;
    }

    /// <summary>What was found of all checkpoints.</summary>
    private sealed class Tally(Invocation call)
    {
        private readonly List<CheckpointVerification> _page = [];
        private readonly HashSet<string> _tasks = new(StringComparer.Ordinal);
        private long _bytes;
        private int _count;
        private int _damaged;
        private int _unseen;

        public async Task VerifyAsync(CheckpointListing listing)
        {
            string task = listing.Task.Value;
            string name = listing.Checkpoint.Name;
            try
            {
                CheckpointVerification result = await call.Client.VerifyCheckpointAsync(task, name, call.Interrupt);
                Add(result with { Task = listing.Task });
            }
            catch (ActorTrainerApiException e) when (e.Status == 404)
            {
                // Removed since it was listed, as newer ones came.
            }
            catch (ActorTrainerApiException e) when (e.Status != 401)
            {
                // What is the matter with one must not keep the others from being looked at.
                Unseen(name, e.Message);
            }
        }

        public void Unseen(string what, string why)
        {
            _unseen++;
            call.Note($"{what}: {why}");
        }

        public int Finish()
        {
            if (call.Json)
            {
                call.WriteJson<IReadOnlyList<CheckpointVerification>>(_page);
            }
            else
            {
                WritePage();
            }

            string checkpoints = _count == 1 ? "1 checkpoint" : $"{Human.Number(_count)} checkpoints";
            string tasks = _tasks.Count == 1 ? "1 task" : $"{Human.Number(_tasks.Count)} tasks";
            string outcome =
                _damaged > 0 ? $"{Human.Number(_damaged)} DAMAGED"
                : _unseen > 0 ? "those that were looked at are intact"
                : "all intact";
            call.Note(
                _count + _unseen == 0 ? "there are no checkpoints" : $"{checkpoints} of {tasks}, {Human.Bytes(_bytes)} read: {outcome}"
            );
            return _damaged + _unseen == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        }

        private void Add(CheckpointVerification result)
        {
            _count++;
            _damaged += result.Intact ? 0 : 1;
            _bytes += result.BytesRead;
            _ = _tasks.Add(result.Task!.Value.Value);
            _page.Add(result);
            if (!call.Json && _page.Count == PageRows)
            {
                WritePage();
            }
        }

        private void WritePage()
        {
            if (_page.Count > 0)
            {
                call.Write(Rows(_page, withTask: true));
                _page.Clear();
            }
        }
    }
}
