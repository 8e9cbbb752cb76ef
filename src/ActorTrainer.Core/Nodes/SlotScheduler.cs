using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Nodes;

/// <summary>Gives the node's slots to the tasks that want them, as <see cref="SlotPolicy"/> says.</summary>
internal sealed class SlotScheduler(NodeContext context, ShardHost host)
{
    public void Run()
    {
        if (context.Draining || context.Ended)
        {
            return;
        }

        Dictionary<TaskId, TaskCell> waiting = Waiting();
        SlotUsage usage = new(
            host.UsedSlots(),
            host.Cells.Count(c => c.Entity.IsRestoring),
            host.Cells.Any(c => c.Entity.TakesSlots),
            host.Cells.Any(c => c.Entity is { TakesSlots: true, State.Alone: true }));
        SlotCandidate[] candidates = [.. waiting.Values.Select(Candidate)];
        foreach (TaskId task in SlotPolicy.Grant(candidates, usage, context.Model.Slots, context.Model.Sharding.MaxConcurrentRestores))
        {
            TaskCell cell = waiting[task];
            host.Journaling.Execute(cell, cell.Entity.Grant(context.Now));
        }
    }

    private static SlotCandidate Candidate(TaskCell cell) =>
        new(cell.Entity.Task, cell.Entity.State!.Spec.Priority, cell.Entity.State.Spec.Slots, cell.Entity.State.Alone);

    private Dictionary<TaskId, TaskCell> Waiting() => host.Shards
        .Where(s => s.Phase == ShardPhase.Active)
        .SelectMany(s => s.Cells.Values)
        .Where(c => c.Pending is null && c.Waiting.Count == 0 && c.Entity.WantsSlots(context.Now))
        .ToDictionary(c => c.Entity.Task);
}
