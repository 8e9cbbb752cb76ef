namespace ActorTrainer.Core.Tasks;

/// <content>Which checkpoint is gone on from when it is not simply the newest.</content>
public sealed partial class TaskEntity
{
    /// <summary>After so many failed starts from one checkpoint the task goes on from the one before.</summary>
    internal const int FailedStartsToSetAside = 2;

    /// <summary>A command that went on for longer has loaded its checkpoint, whatever it says.</summary>
    internal static readonly TimeSpan LoadsWithin = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The checkpoint that the run began with, if it got nowhere from there: no step, no checkpoint. A run that did not even begin says
    /// nothing about its checkpoint, nor does one that somebody killed, nor one of before the user's choice. A step that is only guessed
    /// from the output may be a bar of something else: it decides nothing.
    /// </summary>
    private string? FailedStartFrom(TaskRun run, RunEnd end, TimeSpan now) =>
        run is { Begun: true, Saved: false, Progress: null, Printed: null or { Output.Guessed: true }, Restore: { } restored }
        && !(run.IsCommand && now - run.BegunAt >= LoadsWithin)
        && !FailurePolicy.IsByKill(end)
        && State!.RestoreFrom is null
            ? restored.Name
            : null;

    private IReadOnlyList<TaskEvent> SetAside(string? failedStartFrom)
    {
        if (State!.Checkpoints.FirstOrDefault(c => c.Checkpoint.Name == failedStartFrom) is not { SetAside: false } failed)
        {
            return [];
        }

        int failedStarts = failed.FailedStarts + 1;
        return
            failedStarts >= FailedStartsToSetAside
            && State.Checkpoints.SkipWhile(c => c != failed).Skip(1).FirstOrDefault(c => c is { IsUsable: true, SetAside: false })
                is { Checkpoint: { } before }
            ? [new TaskCheckpointSetAside(failed.Checkpoint.Name, failedStarts, before.Name, before.Step)]
            : [];
    }

    /// <summary>A task that is to start from a checkpoint never starts from nothing instead: both are one step.</summary>
    private EntityStep OnSubmit(SubmitTask submit)
    {
        TaskSubmitted submitted = new(submit.Spec, submit.SpecHash, Term, home.Incarnation);
        return submit.Checkpoint is { } checkpoint
                ? new EntityStep([submitted, new TaskCheckpointed(checkpoint)], [], new CommandAccepted(Task))
            : submit.Spec.FromCheckpoint is null ? new EntityStep([submitted], [], new CommandAccepted(Task))
            : new EntityStep([], [], new CommandUnavailable($"task {Task} is not there any more"));
    }

    private EntityStep OnRestore(string name)
    {
        if (State!.Status is TaskStatus.Completed or TaskStatus.Cancelled)
        {
            return Refuse(
                $"task {Task} is {Word(State.Status)}; a new task can start from its checkpoint: submit --from-checkpoint {name}"
            );
        }

        if (Find(name) is not { } listed)
        {
            return NoSuch(name);
        }

        if (listed.Damaged)
        {
            return Refuse($"checkpoint {name} of task {Task} is damaged; 'actortrainer checkpoints ls {Task}' lists the others");
        }

        // A worker that only waits for its slots restores what is wanted then.
        IReadOnlyList<TaskEffect> effects =
            _run is { Stop: StopCause.None } run && !WaitsWarm ? StopNow(run, StopCause.GoesBack, State.Spec.Grace) : [];
        return new EntityStep([new TaskRestoreChosen(name, listed.Checkpoint.Step)], effects, new CommandAccepted(Task));
    }
}
