using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

internal static class CheckpointsImportCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> file = new("FILE")
        {
            Description = "A .safetensors file, or a folder with the files of a checkpoint, as 'checkpoints export' writes both.",
        };
        Option<string> task = new("--task")
        {
            Description = "The name or id of the task that gets it. It must not run: pause it before.",
            HelpName = "TASK",
            Required = true,
        };
        Option<long?> step = new("--step")
        {
            Description = "The step that it is of, or of a command the save. [default: what an exported file says itself, else 0]",
            HelpName = "N",
        };
        CliCommand command = new(
            "import",
            "Makes a checkpoint of a task from a file or folder; the next start of the task begins from it. Its older checkpoints stay.",
            "actortrainer checkpoints import ./digits.safetensors --task digits",
            "actortrainer checkpoints import ./step-1200 --task digits --step 1200"
        )
        {
            file,
            task,
            step,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                long? given = call.Args.GetValue(step);
                if (given < 0)
                {
                    throw new UsageException("--step: give 0 or a larger whole number");
                }

                string path = Path.GetFullPath(call.Value(file), cli.WorkingDirectory);
                string name = call.Value(task)!;
                CommandAccepted imported =
                    Directory.Exists(path) ? await ImportFolderAsync(call, path, name, given)
                    : File.Exists(path) ? await ImportFileAsync(call, path, name, given)
                    : throw new CommandFailedException($"there is no {call.Value(file)}; name a .safetensors file or a folder");
                if (call.Json)
                {
                    call.WriteJson<CommandReply>(imported);
                }

                call.Note(
                    $"{imported.Checkpoint!.Name} of {imported.Task}: imported, {Human.Bytes(imported.Checkpoint.Bytes)}; "
                        + (imported.Note ?? "its next start begins with it")
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static Task<CommandAccepted> ImportFileAsync(Invocation call, string path, string task, long? step) =>
        call.Client.ImportTensorsAsync(task, path, step, new SaidProgress(call, new FileInfo(path).Length, "sent"), call.Interrupt);

    private static Task<CommandAccepted> ImportFolderAsync(Invocation call, string path, string task, long? step)
    {
        FolderArchive archive = new(path);
        SaidProgress said = new(call, archive.Bytes, "sent");
        return call.Client.ImportFilesAsync(
            task,
            (target, cancellation) => archive.WriteAsync(target, said, cancellation),
            step ?? 0,
            call.Interrupt
        );
    }
}
