using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <content>What becomes of the task when every checkpoint that it could go on from is damaged.</content>
public sealed partial class TaskEntity
{
    private const int NamedAtMost = 5;

    private bool IsHeldByDamage => State!.OnlyDamaged.Count > 0 && State.LastUsable is null && HoldsOnDamage;

    private bool HoldsOnDamage => State!.Spec.Checkpoint.OnDamage == DamageAction.Hold;

    /// <summary>
    /// What was read back, and how. A run whose newest checkpoint is damaged takes another one at once: till then a failure would cost all
    /// that was done since the one before.
    /// </summary>
    private EntityStep OnVerified(RecordVerification verified)
    {
        if (Find(verified.Checkpoint) is not { } listed)
        {
            // Retention removed it while it was read.
            return NoSuch(verified.Checkpoint);
        }

        if (verified.Damage is not { } damage)
        {
            return Journal(new TaskCheckpointVerified(verified.Checkpoint, verified.At));
        }

        if (listed.Damaged)
        {
            return Accept();
        }

        EntityStep step = Journal(new TaskCheckpointDamaged(verified.Checkpoint, damage));
        return
            State!.LastUsable?.Name == verified.Checkpoint && _run is { Begun: true, IsCommand: false, End: null, Stop: StopCause.None } run
            ? step with
            {
                AfterCommit = [new RequestStaging(run.Key, CheckpointReasons.Damage)],
            }
            : step;
    }

    /// <summary>The last of them could not be read: the task is held, or starts from nothing.</summary>
    private EntityStep OnNoneReadable(TaskRun run, TaskCheckpointDamaged damaged, TimeSpan now)
    {
        run.RestoreSettled = true;
        if (run.Stop != StopCause.None)
        {
            // Whoever stops the run decides what follows; the next start finds that none is left.
            return new EntityStep([damaged], []);
        }

        TaskState after = TaskState.Fold(Task, State, [damaged])!;
        if (HoldsOnDamage)
        {
            return new EntityStep([damaged, Held(after)], StopNow(run, StopCause.User, TimeSpan.Zero));
        }

        run.FromNothing = FromNothing(after);
        EntityStep next = ContinueRun(run, now);
        return next with { Persist = [damaged, .. next.Persist] };
    }

    private TaskHeld Held(TaskState state) =>
        new(
            $"every checkpoint that it could go on from is damaged ({Names(state.OnlyDamaged)}); 'actortrainer tasks resume {Task}' reads "
                + "them again, 'tasks restore' goes on from another one, and once they are removed ('checkpoints rm') a resume starts from "
                + "nothing"
        );

    private static TaskWarned FromNothing(TaskState state) =>
        new(
            $"{TaskWarned.NoCheckpoint} that it could go on from can be read ({Names(state.OnlyDamaged)}): it starts from nothing, as "
                + "checkpoint.on-damage = restart says"
        );

    /// <summary>What is said of a start from nothing; null: it is none, or there was nothing to go on from.</summary>
    private TaskWarned? WhyFromNothing(CheckpointRef? checkpoint) =>
        checkpoint is null && State is { OnlyDamaged.Count: > 0 } ? FromNothing(State) : null;

    private CommandAccepted Resumed()
    {
        string otherwise = HoldsOnDamage ? "is held again" : "starts from nothing";
        return new CommandAccepted(Task)
        {
            Note = State!.OnlyDamaged is { Count: > 0 } damaged
                ? $"reads {Names(damaged)} again; if none of them can be read it {otherwise}"
                : null,
        };
    }

    private static string Names(IReadOnlyList<string> checkpoints) =>
        checkpoints.Count <= NamedAtMost
            ? string.Join(", ", checkpoints)
            : FormattableString.Invariant(
                $"{string.Join(", ", checkpoints.Take(NamedAtMost))} and {checkpoints.Count - NamedAtMost} older ones"
            );
}
