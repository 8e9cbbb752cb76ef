using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// What happened to a task and its actor has not come to yet, in order. It is kept beside the mailbox since the actor that waits for the
/// journal may end with it: the run that goes on then, and whoever adopts it, must miss nothing. Thread-safe.
/// </summary>
internal sealed class TaskInbox
{
    private readonly Queue<TaskInput> _inputs = new();
    private readonly Lock _gate = new();

    public void Add(TaskInput input)
    {
        lock (_gate)
        {
            _inputs.Enqueue(input);
        }
    }

    /// <summary>The oldest; null: there is none.</summary>
    public TaskInput? Take()
    {
        lock (_gate)
        {
            return _inputs.TryDequeue(out TaskInput? input) ? input : null;
        }
    }
}

/// <summary>Something is in the task's inbox.</summary>
internal sealed class InputsWait : INoSerializationVerificationNeeded
{
    public static InputsWait Instance { get; } = new();
}
