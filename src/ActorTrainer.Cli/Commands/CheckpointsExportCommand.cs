using System.CommandLine;
using ActorTrainer.Checkpoints;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsExportCommand
{
    private static readonly TimeSpan SaysEvery = TimeSpan.FromSeconds(5);

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        Argument<string> folder = new("DIR") { Description = "Where to write the files: a folder that is new or empty." };
        CliCommand command = new(
            "export",
            "Writes the files of a checkpoint into a folder, with their modes, times and links. Everything is hashed again; when not all "
                + "of it can be read, nothing is left.",
            "actortrainer checkpoints export digits ./digits-newest",
            "actortrainer checkpoints export c-3-1200-k3f9a2bc ./step-1200"
        )
        {
            id,
            folder,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointListing listing = await CheckpointId.FindAsync(call, call.Value(id));
                string target = Path.GetFullPath(call.Value(folder), cli.WorkingDirectory);
                CheckpointFiles written = await call.Client.ExportCheckpointAsync(
                    listing.Task.Value,
                    listing.Checkpoint.Name,
                    target,
                    new Said(call, listing.Checkpoint.Bytes),
                    call.Interrupt
                );
                NativeFiles.PutBack(target);
                if (call.Json)
                {
                    call.WriteJson(written);
                }

                string files = written.Files.Count == 1 ? "1 file" : $"{Human.Number(written.Files.Count)} files";
                call.Note(
                    $"{listing.Checkpoint.Name} of {listing.Task}: {files}, {Human.Bytes(listing.Checkpoint.Bytes)} in {call.Value(folder)}"
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    /// <summary>Says now and then how far it is.</summary>
    private sealed class Said(Invocation call, long total) : IProgress<long>
    {
        private long _since = call.Cli.Time.GetTimestamp();

        public void Report(long value)
        {
            if (call.Cli.Time.GetElapsedTime(_since) >= SaysEvery)
            {
                _since = call.Cli.Time.GetTimestamp();
                call.Note($"{Human.Bytes(value)} of {Human.Bytes(total)} written");
            }
        }
    }
}
