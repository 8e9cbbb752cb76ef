using System.CommandLine;
using System.Globalization;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Argument<string?> name = NameArgument();
        CliCommand command = new(
            "show",
            "Shows one checkpoint.",
            "actortrainer checkpoints show digits",
            "actortrainer checkpoints show digits c-3-1200-x7"
        )
        {
            task,
            name,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointListing listing = await FindAsync(call, call.Value(task), call.Args.GetValue(name));
                if (call.Json)
                {
                    call.WriteJson(new CheckpointList([listing]));
                    return ExitCodes.Ok;
                }

                CheckpointRef checkpoint = listing.Checkpoint;
                call.Write(
                    Tables.Pairs(
                        ("Checkpoint", checkpoint.Name),
                        ("Task", listing.Task.Value),
                        ("State", State(listing)),
                        ("Kept", listing.Pinned ? "pinned, until 'checkpoints unpin'" : null),
                        ("Tags", listing.Tags.Count > 0 ? string.Join(", ", listing.Tags) : null),
                        ("Step", checkpoint.Output is null ? ProgressText.StepCell(checkpoint) : ProgressText.StepOf(checkpoint)),
                        ("Epoch", checkpoint.Epoch > 0 ? checkpoint.Epoch.ToString("0.##", CultureInfo.InvariantCulture) : null),
                        ("Reason", checkpoint.Reason),
                        ("Metrics", ProgressText.Metrics(checkpoint.Metrics)),
                        ("Size", $"{Human.Bytes(checkpoint.Bytes)}, {Human.Bytes(checkpoint.StoredBytes)} added to the store"),
                        ("Taken", call.Times.Show(listing.Time)),
                        ("Term", Human.Number(listing.Term)),
                        ("Packs", string.Join(' ', checkpoint.Packs)),
                        ("Manifest", $"sha256 {checkpoint.ManifestSha256}")
                    )
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    public static Argument<string?> NameArgument() =>
        new("CHECKPOINT") { Description = "The checkpoint's name, or a tag. [default: the newest]", Arity = ArgumentArity.ZeroOrOne };

    private static string State(CheckpointListing listing) =>
        listing.Damaged ? "damaged: it is never restored"
        : listing.SetAside ? "set aside: starts from it failed; 'tasks resume' or 'tasks restore --from' takes it up again"
        : listing.Overtaken ? "overtaken: the task went on from an older one; 'tasks restore --from' takes it up again"
        : "committed";

    /// <summary>The checkpoint of this name or tag, or the newest.</summary>
    public static async Task<CheckpointListing> FindAsync(Invocation call, string task, string? name)
    {
        if (name is not null)
        {
            return await CheckpointId.FindAsync(call, task, name);
        }

        CheckpointList list = await call.Client.ListCheckpointsAsync(task, call.Interrupt);
        return list.Checkpoints.Count > 0 ? list.Checkpoints[0] : throw new CommandFailedException($"task '{task}' has no checkpoint");
    }
}
