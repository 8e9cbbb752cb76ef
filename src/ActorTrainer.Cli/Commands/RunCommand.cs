using System.CommandLine;
using System.Security.Cryptography;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cli.Commands;

internal static class RunCommand
{
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(10);

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> commandLine = new("COMMAND")
        {
            Description = "The executable and its arguments. Put '--' before it.",
            Arity = ArgumentArity.OneOrMore,
        };
        TaskOptions options = new();
        Option<string?> from = CheckpointId.StartOption();
        CliCommand command = new(
            "run",
            "Submits a command as a task and follows its output until it ends. "
                + "It runs in this folder, with this shell's PATH and virtual environment, on whichever node has room; "
                + "with --bundle in a copy of a folder, also on nodes that do not have it.",
            "actortrainer run -- python3 train.py --epochs 10",
            "actortrainer run --name digits --env SEED=7 -- ./train.sh",
            "actortrainer run --bundle . --link data -- python3 train.py"
        )
        {
            commandLine,
            options.Name,
            options.Slots,
            options.Priority,
            options.MaxAttempts,
            options.WaitForChildren,
            from,
        };
        options.Environment.AddTo(command);
        options.NodeEnvironment.AddTo(command);
        options.Files.AddTo(command);
        command.TakesCommandLine = true;
        command.ExitCodeNote = "the task's own; a held task: 1";
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskDraft draft = options.Read(call, call.Value(commandLine));
                draft = draft with { Spec = await CheckpointId.StartFromAsync(call, draft.Spec, call.Value(from)) };
                TaskId id = await Submission.SendAsync(call, draft);
                return await FollowAsync(call, id, draft.Spec.Name);
            }
        );
        return command;
    }

    /// <summary>Follows output and status until the task is finished or held; its exit code.</summary>
    public static async Task<int> FollowAsync(Invocation call, TaskId id, string name)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(call.Interrupt);
        try
        {
            TaskFollower follower = new(call);
            await follower.LearnAsync(call.Interrupt);
            RunNotices notices = new(call);
            Task output = call.Client.CopyOutputAsync(id.Value, call.Cli.OutBytes, follow: true, call.Note, ended.Token);
            TaskView view = await follower.WaitAsync(id.Value, notices.Show, call.Interrupt);

            // The last lines are there by now; a node that keeps some of them may be gone for good.
            ended.CancelAfter(OutputGrace);
            if (!view.Finished)
            {
                await ended.CancelAsync();
            }

            try
            {
                await output;
            }
            catch (OperationCanceledException) when (!call.Interrupt.IsCancellationRequested)
            {
                // Held, or lines that cannot be had.
            }

            call.Note(TaskText.Ending(view));
            return TaskText.ExitCode(view);
        }
        catch (OperationCanceledException) when (call.Interrupt.IsCancellationRequested)
        {
            call.Note(
                $"task {name} goes on; follow it with 'actortrainer tasks logs -f {name}', end it with 'actortrainer tasks cancel {name}'"
            );
            return ExitCodes.Interrupted;
        }
    }

    /// <summary>A name for a command: its script or executable, and four characters that no other run has.</summary>
    public static string NameOf(IReadOnlyList<string> command)
    {
        string[] interpreters = ["python", "python3", "bash", "sh", "dotnet", "node", "env", "uv", "ruby", "perl"];
        string first = Path.GetFileNameWithoutExtension(command[0]);
        string? script = interpreters.Contains(first)
            ? command.Skip(1).FirstOrDefault(argument => !argument.StartsWith('-') && argument.All(c => !char.IsWhiteSpace(c)))
            : null;
        string source = Path.GetFileNameWithoutExtension(script ?? command[0]).ToLowerInvariant();
        string cleaned = string.Join(
            '-',
            new string([.. source.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Split('-', StringSplitOptions.RemoveEmptyEntries)
        );
        string stem = cleaned.Length == 0 ? "task" : cleaned[..Math.Min(cleaned.Length, TaskSpecReader.MaxNameLength - 5)].TrimEnd('-');
        return $"{stem}-{RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 4)}";
    }

    /// <summary>Says on standard error where the task runs and what its user has to know, when that changes.</summary>
    private sealed class RunNotices(Invocation call)
    {
        private string _shown = "";
        private string? _warning;

        public void Show(TaskView view)
        {
            string now = view.Status switch
            {
                Core.Tasks.TaskStatus.Running => view.Runs > 1
                    ? FormattableString.Invariant($"runs on {view.Node}, run {view.Runs}")
                    : $"runs on {view.Node}",
                Core.Tasks.TaskStatus.Completed
                or Core.Tasks.TaskStatus.Failed
                or Core.Tasks.TaskStatus.Cancelled
                or Core.Tasks.TaskStatus.Held => "",
                _ => view.Detail.Length > 0 ? $"is {TaskText.Status(view.Status)}: {view.Detail}" : $"is {TaskText.Status(view.Status)}",
            };
            if (now.Length > 0 && now != _shown)
            {
                call.Note($"task {view.Name} {now}");
                _shown = now;
            }

            if (view.Warning is { } warning && warning != _warning)
            {
                call.Note($"task {view.Name}: {warning}");
                _warning = warning;
            }
        }
    }
}
