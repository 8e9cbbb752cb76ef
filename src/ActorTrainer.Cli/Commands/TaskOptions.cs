using System.CommandLine;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Options of <c>run</c> that describe the task.</summary>
internal sealed class TaskOptions
{
    public Option<string?> Name { get; } =
        new("--name")
        {
            Description =
                "The task's name, unique in the cluster: lower-case letters, digits and inner dashes. [default: from the command]",
            HelpName = "NAME",
        };

    public Option<int> Slots { get; } =
        new("--slots")
        {
            Description = "Slots of a node that it takes.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };

    public Option<int> Priority { get; } =
        new("--priority")
        {
            Description = "Higher goes first.",
            HelpName = "N",
            DefaultValueFactory = _ => 0,
        };

    public EnvironmentOptions Environment { get; } = new();

    public NodeEnvironmentOptions NodeEnvironment { get; } = new();

    public Option<int> MaxAttempts { get; } =
        new("--max-attempts")
        {
            Description =
                "How often it is started again after a failure of its own; the next one fails it for good. Node loss does not count.",
            HelpName = "N",
            DefaultValueFactory = _ => new RetrySpec().MaxAttempts,
        };

    public Option<bool> WaitForChildren { get; } =
        new("--wait-for-children")
        {
            Description = "The run lasts until the processes that it leaves behind have ended, too; else they are ended with it.",
        };

    public BundleOptions Files { get; } = new();

    /// <exception cref="UsageException">The environment cannot be had, a number is out of range, or a path is wrong.</exception>
    public TaskDraft Read(Invocation call, string[] command) =>
        Files.Complete(
            call,
            Environment.Apply(
                call,
                new TaskSpec
                {
                    Name = call.Value(Name) ?? RunCommand.NameOf(command),
                    Slots = Numbers.AtLeast(1, call.Value(Slots), "--slots"),
                    Priority = call.Value(Priority),
                    Command = command,
                    NodeEnvironment = NodeEnvironment.Read(call, Files.Bundles(call)),
                    WaitForChildren = call.Value(WaitForChildren),
                    WorkingDirectory = call.Cli.WorkingDirectory,
                    Retry = new RetrySpec { MaxAttempts = Numbers.AtLeast(0, call.Value(MaxAttempts), "--max-attempts") },
                }
            )
        );
}
