using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsRmCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> ids = new("ID")
        {
            Description = "Names of checkpoints, of one task or of several.",
            Arity = ArgumentArity.OneOrMore,
        };
        CliCommand command = new(
            "rm",
            "Removes checkpoints. Refused, and then none of that task, for one that is pinned, tagged or being restored, that the present "
                + "run began with, or that the task would go on from.",
            "actortrainer checkpoints rm c-3-1200-k3f9a2bc c-3-1400-m2c4e6g8"
        )
        {
            ids,
        };
        Invocation.Set(command, cli, globals, call => RemoveAsync(call, [.. call.Value(ids).Distinct()]));
        return command;
    }

    private static async Task<int> RemoveAsync(Invocation call, IReadOnlyList<string> ids)
    {
        if (ids.FirstOrDefault(id => !CheckpointId.IsOne(id)) is { } other)
        {
            throw new UsageException($"'{other}' is no checkpoint's name; 'actortrainer checkpoints ls' lists them");
        }

        List<CheckpointListing> found = [];
        foreach (string id in ids)
        {
            found.Add(await CheckpointId.FindAsync(call, id));
        }

        int code = ExitCodes.Ok;
        foreach (IGrouping<string, CheckpointListing> task in found.GroupBy(listing => listing.Task.Value))
        {
            string[] names = [.. task.Select(listing => listing.Checkpoint.Name).Distinct()];
            try
            {
                await call.Client.RemoveCheckpointsAsync(task.Key, names, call.Interrupt);
                foreach (string name in names)
                {
                    call.Note($"{name} of {task.Key}: removed");
                }
            }
            catch (ActorTrainerApiException e) when (e.Status != 401)
            {
                // One refusal must not keep the other tasks from being asked.
                call.Note($"{task.Key}: {e.Message}");
                code = ExitCodes.Failed;
            }
        }

        return code;
    }
}
