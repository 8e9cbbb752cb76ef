using System.CommandLine;
using System.Globalization;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

internal static class TasksShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        CliCommand command = new("show", "Shows one task.", "actortrainer tasks show digits") { task };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskDetails details = await call.Client.GetTaskAsync(call.Value(task), call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(details);
                }
                else
                {
                    call.Write(Tables.Pairs(Describe(details, call.Times)));
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static (string, string?)[] Describe(TaskDetails details, Times times)
    {
        TaskView task = details.Task;
        TaskSpec? spec = details.Spec;
        return
        [
            ("Task", task.Name),
            ("Id", task.Task.ToString()),
            ("Status", task.Detail.Length > 0 ? $"{TaskText.Status(task.Status)}: {task.Detail}" : TaskText.Status(task.Status)),
            ("Warning", task.Warning),
            ("Exit code", task.ExitCode is int code ? Human.Number(code) : null),
            ("Progress", $"{TaskText.Progress(task.Progress)}{(task.Live ? " (live)" : "")}"),
            ("Epoch", task.Progress.Epoch > 0 ? task.Progress.Epoch.ToString("0.##", CultureInfo.InvariantCulture) : null),
            ("Metrics", TaskText.Metrics(task.Progress.Metrics)),
            ("Results", task.Results is null ? null : TaskText.Results(task.Results)),
            ("Node", task.Node?.ToString()),
            ("Owner", Owner(details)),
            ("Shard", Human.Number(task.Shard)),
            ("Priority", Human.Number(task.Priority)),
            ("Slots", $"{Human.Number(task.Slots)}{(task.Alone ? ", alone on its node" : "")}"),
            ("Runs", Runs(task)),
            ("Checkpoint", Checkpoint(task.LastCheckpoint)),
            ("Submitted", times.Show(task.SubmittedAt)),
            ("Changed", times.Show(task.ChangedAt)),
            (spec?.Command is null ? "Trainer" : "Command", spec is null ? null : EventText.What(spec)),
            ("Starts from", spec?.FromCheckpoint),
            ("Folder", spec?.WorkingDirectory),
            ("Bundle", spec?.Bundle is { } bundle ? Bundling.Describe(bundle) : null),
            ("Links", spec is null ? null : string.Join(", ", spec.Links.Select(link => $"{link.Key} -> {link.Value}"))),
            ("State", spec is null ? null : string.Join(", ", spec.State)),
            ("Environment", spec is null ? null : EnvironmentOf(spec)),
            ("Needs", spec?.NodeEnvironment is { } wanted ? Needs(wanted) : null),
            ("Umask", spec?.Umask),
            ("Children", spec is { WaitForChildren: true } ? "waited for" : null),
            (
                "Stalled",
                spec is { Command: not null } && spec.Stall.OfCommand() is { } limit
                    ? $"after {Human.Duration(limit)} without output, checkpoint and processor time"
                    : null
            ),
            ("Saves", spec is null ? null : Saves(spec)),
            ("Retries", spec is null ? null : Retries(spec.Retry)),
        ];
    }

    /// <summary>Names alone: values are for <c>-o json</c>, which has all but the secret ones.</summary>
    private static string EnvironmentOf(TaskSpec spec) =>
        string.Join(
            '\n',
            (spec.Secrets ?? new Dictionary<string, string>())
                .OrderBy(secret => secret.Key, StringComparer.Ordinal)
                .Select(secret => $"{secret.Key} (secret, from {secret.Value})")
                .Prepend(string.Join(' ', spec.Environment.Keys.Order(StringComparer.Ordinal)))
                .Where(line => line.Length > 0)
        );

    private static string Needs(EnvironmentSpec wanted)
    {
        (string Name, string? Value)[] parts = [("venv", wanted.Venv), ("requirements", wanted.Requirements), ("setup", wanted.Setup)];
        return string.Join('\n', parts.Where(part => part.Value is not null).Select(part => $"{part.Name} {part.Value}"));
    }

    private static string? Owner(TaskDetails details) =>
        details.Owner is { } owner ? $"{owner}, term {Human.Number(details.Term)}"
        : details.Task.Finished ? null
        : "none at the moment";

    private static string Runs(TaskView task) =>
        task.Failures > 0 ? $"{Human.Number(task.Runs)}, {Human.Number(task.Failures)} failed" : Human.Number(task.Runs);

    private static string Retries(RetrySpec policy) =>
        policy.MaxAttempts == 0
            ? "none"
            : $"{Human.Number(policy.MaxAttempts)} after failures of its own, the first after {Human.Duration(policy.Backoff)}";

    private static string? Checkpoint(CheckpointRef? checkpoint) =>
        checkpoint is null
            ? null
            : $"{checkpoint.Name}: step {Human.Number(checkpoint.Step)}, {Human.Bytes(checkpoint.Bytes)}, {checkpoint.Reason}";

    private static string Saves(TaskSpec spec)
    {
        CheckpointSpec policy = spec.Checkpoint;
        string epochs = $"every {Human.Number(policy.EpochInterval)} epochs";
        string interval = $"every {Human.Duration(policy.Interval)}";
        string when = policy.Strategy switch
        {
            // Whatever the policy says: nobody can ask a command for its state.
            _ when spec.Command is not null => "by itself, when its files are complete",
            CheckpointStrategy.Epoch => epochs,
            CheckpointStrategy.Interval => interval,
            CheckpointStrategy.Event => "on events",
            _ => $"{epochs}, {interval}, on events",
        };
        string newest = policy.KeepLast == 1 ? "the newest one" : $"the newest {Human.Number(policy.KeepLast)}";
        return $"{when}; keeps {newest}{(policy.BestMetric is null ? "" : ", the best one")} and the one last restored from";
    }
}
