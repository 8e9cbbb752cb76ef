using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <content>What the user says of the task's checkpoints, in whatever state the task is.</content>
public sealed partial class TaskEntity
{
    /// <summary>What follows from a command about checkpoints; null: it is none.</summary>
    private EntityStep? OnKeeping(TaskCommand command) =>
        command switch
        {
            PinCheckpoint pin => OnPin(pin.Checkpoint),
            UnpinCheckpoint unpin => OnUnpin(unpin.Checkpoint),
            TagCheckpoint tag => OnTag(tag.Checkpoint, tag.Tag),
            UntagCheckpoint untag => OnUntag(untag.Checkpoint, untag.Tag),
            RemoveCheckpoints remove => OnRemove(remove.Checkpoints),
            CollectGarbage collect => OnCollect(collect.Files, collect.DryRun),
            RecordVerification verified => OnVerified(verified),
            PrepareImport => OnPrepareImport(),
            ImportCheckpoint import => OnImport(import.Checkpoint),
            _ => null,
        };

    private EntityStep OnPin(string name) =>
        Find(name) is not { } listed ? NoSuch(name)
        : listed.Pinned ? Accept()
        : listed.Damaged ? IsDamaged(name)
        : Journal(new TaskCheckpointPinned(name));

    private EntityStep OnUnpin(string name) =>
        Find(name) is not { } listed ? NoSuch(name)
        : listed.Pinned ? Journal(new TaskCheckpointUnpinned(name))
        : Accept();

    private EntityStep OnTag(string name, string tag)
    {
        if (Find(name) is not { } listed)
        {
            return NoSuch(name);
        }

        if (!CheckpointTag.IsValid(tag))
        {
            return Refuse($"'{tag}' cannot be the tag of a checkpoint: {CheckpointTag.Form}");
        }

        if (listed.Tags.Contains(tag))
        {
            return Accept();
        }

        if (listed.Damaged)
        {
            return IsDamaged(name);
        }

        EntityStep step = Journal(new TaskCheckpointTagged(name, tag));
        return Tagged(tag) is not { } former
            ? step
            : step with
            {
                Reply = new CommandAccepted(Task) { Note = $"the tag '{tag}' has moved from {former.Checkpoint.Name}" },
            };
    }

    private EntityStep OnUntag(string name, string tag)
    {
        if (Find(name) is not { } listed)
        {
            return NoSuch(name);
        }

        if (listed.Tags.Contains(tag))
        {
            return Journal(new TaskCheckpointUntagged(name, tag));
        }

        string where = Tagged(tag) is { } other ? $"; {other.Checkpoint.Name} has it" : "";
        return new EntityStep([], [], new CommandRefused($"checkpoint {name} of task {Task} has no tag '{tag}'{where}", NotFound: true));
    }

    private EntityStep OnRemove(IReadOnlyList<string> names)
    {
        if (names.FirstOrDefault(name => Find(name) is null) is { } unknown)
        {
            return NoSuch(unknown);
        }

        IReadOnlyList<string> stay = [.. names.Select(name => WhyItStays(Find(name)!)).OfType<string>()];
        if (stay.Count > 0)
        {
            return Refuse($"{string.Join("; ", stay)}{(names.Count > 1 ? "; nothing was removed" : "")}");
        }

        RetentionPlan plan = RetentionPolicy.PlanRemoval(Items(), [.. names]);
        IReadOnlyList<string> condemn = plan.Condemn;
        if (_saving is not null)
        {
            // The save under way may take chunks from these packs. What it took none from is condemned once it is stored, and else by
            // the next owner, as what no event names.
            HashSet<string> inUse = InUse();
            _condemnedLater.UnionWith(condemn.Where(inUse.Contains));
            condemn = [.. condemn.Where(file => !inUse.Contains(file))];
        }

        List<TaskEvent> events = [.. plan.Remove.Select(r => new TaskCheckpointRemoved(r.Checkpoint, r.Reason))];
        List<TaskEffect> effects = [];
        if (condemn.Count > 0)
        {
            events.Add(new TaskPacksCondemned(condemn));
            effects.Add(new UnlinkStoreFiles(Task, condemn));
        }

        return new EntityStep(events, effects, new CommandAccepted(Task));
    }

    private EntityStep OnCollect(IReadOnlyList<string> files, bool dryRun)
    {
        IReadOnlyList<string> garbage = Garbage(files);
        CommandAccepted accepted = new(Task) { Files = garbage };
        return dryRun || garbage.Count == 0
            ? new EntityStep([], [], accepted)
            : new EntityStep([new TaskPacksCondemned(garbage)], [new UnlinkStoreFiles(Task, garbage)], accepted);
    }

    /// <summary>Why a checkpoint cannot be removed now, and what to do; null: it can.</summary>
    private string? WhyItStays(ListedCheckpoint listed)
    {
        string name = listed.Checkpoint.Name;
        bool goesOn = State!.Status is not (TaskStatus.Completed or TaskStatus.Cancelled);
        return listed.Pinned ? $"{name} is pinned: 'actortrainer checkpoints unpin {name}' ends that"
            : listed.Tags.Count > 0
                ? $"{name} has the tag '{listed.Tags[0]}': 'actortrainer checkpoints tag {name} {listed.Tags[0]} --remove' takes it away"
            : name == _protected || (_run is { Begun: false } && _run.Restore?.Name == name) ? $"{name} is being restored"
            : _run?.Restore?.Name == name ? $"{name} is the one that the present run of task {Task} began with"
            : goesOn && State.RestoreFrom == name ? $"{name} is the one that task {Task} was told to go on from"
            : goesOn && State.LastUsable?.Name == name
                ? $"{name} is the one that task {Task} would go on from: save another one, or cancel the task"
            : null;
    }

    private ListedCheckpoint? Tagged(string tag) => State!.Checkpoints.FirstOrDefault(c => c.Tags.Contains(tag));

    private EntityStep IsDamaged(string name) =>
        Refuse(
            $"checkpoint {name} of task {Task} is damaged, there is nothing to keep; 'actortrainer checkpoints ls {Task}' lists the others"
        );

    private ListedCheckpoint? Find(string name) => State!.Checkpoints.FirstOrDefault(c => c.Checkpoint.Name == name);

    private EntityStep NoSuch(string name) =>
        new(
            [],
            [],
            new CommandRefused(
                $"task {Task} has no checkpoint '{name}'; 'actortrainer checkpoints ls {Task}' lists those it has",
                NotFound: true
            )
        );

    private EntityStep Journal(TaskEvent e) => new([e], [], new CommandAccepted(Task));
}
