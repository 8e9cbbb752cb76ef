using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <content>Checkpoints that the user brings from outside.</content>
public sealed partial class TaskEntity
{
    /// <summary>
    /// Says under which term the files are to be written: those of an owner's own term, and of later ones, are nobody's garbage.
    /// </summary>
    private EntityStep OnPrepareImport() => new([], [], WhyNoImport() ?? new CommandAccepted(Task) { Term = Term });

    private EntityStep OnImport(CheckpointRef checkpoint)
    {
        if (Find(checkpoint.Name) is not null)
        {
            return new EntityStep([], [], Imported(checkpoint));
        }

        if (WhyNoImport() is { } why)
        {
            return new EntityStep([], [], why);
        }

        // An owner that began after they were written took them for what a save had left behind, which no event names.
        if (!CheckpointNames.TryParse(checkpoint.Name, out long term) || term < State!.Term || term > Term)
        {
            return Refuse($"another node took task {Task} up while the checkpoint was written; import it once more");
        }

        (List<TaskEvent> events, List<TaskEffect> effects, _) = Enlist(new RetentionItem(checkpoint));
        events.Insert(1, new TaskCheckpointImported(checkpoint.Name, checkpoint.Step));
        return new EntityStep(events, effects, Imported(checkpoint));
    }

    private CommandAccepted Imported(CheckpointRef checkpoint) =>
        new(Task)
        {
            Checkpoint = checkpoint,
            Note =
                State!.Status is TaskStatus.Completed or TaskStatus.Cancelled
                    ? $"task {Task} is {Word(State.Status)}; 'submit --from-checkpoint {checkpoint.Name}' starts a new task from it"
                : State.Status is TaskStatus.Paused or TaskStatus.Held or TaskStatus.Failed
                    ? $"'actortrainer tasks resume {Task}' begins with it"
                : null,
        };

    /// <summary>
    /// A run knows nothing of what is imported, and what it saves next would be newer: both together would be a history that never was.
    /// </summary>
    private CommandReply? WhyNoImport() =>
        _run is { Stop: not StopCause.None } ? new CommandUnavailable($"the run of task {Task} is just ending")
        : (_run is not null && !WaitsWarm) || Shown!.Status == TaskStatus.Running
            ? new CommandRefused(
                $"task {Task} runs; pause it ('actortrainer tasks pause {Task}'), import, and let it go on "
                    + $"('actortrainer tasks resume {Task}')"
            )
        : !IsFlushed ? new CommandUnavailable($"the last state of task {Task} is still being stored")
        : null;
}
