using System.CommandLine;
using ActorTrainer.Checkpoints;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsExportCommand
{
    private const string Tensors = "safetensors";
    private const string Suffix = ".safetensors";

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> id = new("ID") { Description = CheckpointId.Description };
        Argument<string> folder = new("DIR")
        {
            Description =
                "Where to write the files: a folder that is new or empty. With --format safetensors: the folder for "
                + "CHECKPOINT.safetensors, or the file's own name, which ends with .safetensors.",
        };
        Option<string> format = new("--format")
        {
            Description =
                "folder: the files as they were saved. safetensors: the state of a C# trainer as one file that Python's safetensors reads; "
                + "what is no tensor is in its metadata.",
            HelpName = "FORMAT",
            DefaultValueFactory = _ => "folder",
        };
        _ = format.AcceptOnlyFromAmong("folder", Tensors);
        CliCommand command = new(
            "export",
            "Writes the files of a checkpoint into a folder, with their modes, times and links. Everything is hashed again; when not all "
                + "of it can be read, nothing is left.",
            "actortrainer checkpoints export digits ./digits-newest",
            "actortrainer checkpoints export c-3-1200-k3f9a2bc ./step-1200",
            "actortrainer checkpoints export digits ./out --format safetensors"
        )
        {
            id,
            folder,
            format,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                CheckpointListing listing = await CheckpointId.FindAsync(call, call.Value(id));
                string target = Path.GetFullPath(call.Value(folder), cli.WorkingDirectory);
                if (call.Value(format) == Tensors)
                {
                    return await ExportTensorsAsync(call, listing, target, call.Value(folder));
                }

                CheckpointFiles written = await call.Client.ExportCheckpointAsync(
                    listing.Task.Value,
                    listing.Checkpoint.Name,
                    target,
                    new SaidProgress(call, listing.Checkpoint.Bytes, "written"),
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

    private static async Task<int> ExportTensorsAsync(Invocation call, CheckpointListing listing, string target, string shown)
    {
        string name = $"{listing.Checkpoint.Name}{Suffix}";
        bool isFile = target.EndsWith(Suffix, StringComparison.Ordinal) && !Directory.Exists(target);
        ExportedTensors written = await call.Client.ExportTensorsAsync(
            listing.Task.Value,
            listing.Checkpoint.Name,
            isFile ? target : Path.Combine(target, name),
            new SaidProgress(call, listing.Checkpoint.Bytes, "written"),
            call.Interrupt
        );
        if (call.Json)
        {
            call.WriteJson(written);
        }

        string tensors = written.Tensors == 1 ? "1 tensor" : $"{Human.Number(written.Tensors)} tensors";
        call.Note(
            $"{listing.Checkpoint.Name} of {listing.Task}: {tensors}, {Human.Bytes(written.Bytes)} in "
                + (isFile ? shown : Path.Combine(shown, name))
        );
        return ExitCodes.Ok;
    }
}
