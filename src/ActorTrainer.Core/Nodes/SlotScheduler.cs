namespace ActorTrainer.Core.Nodes;

/// <summary>Gives the node's slots to the tasks that want them: highest priority first, then by id.</summary>
internal sealed class SlotScheduler(NodeContext context, ShardHost host)
{
    public void Run()
    {
        if (context.Draining || context.Ended)
        {
            return;
        }

        int free = context.Model.Slots - host.UsedSlots();
        int restoring = host.Cells.Count(c => c.Entity.IsRestoring);
        bool anyRuns = host.Cells.Any(c => c.Entity.TakesSlots);
        bool aloneRuns = host.Cells.Any(c => c.Entity is { TakesSlots: true, State.Alone: true });
        foreach (TaskCell cell in Candidates())
        {
            int slots = cell.Entity.State!.Spec.Slots;
            if (slots > context.Model.Slots)
            {
                // It will never fit here; the coordinator looks for a larger node.
                continue;
            }

            bool needsEmpty = cell.Entity.State.Alone;
            if (slots > free || restoring >= context.Model.Sharding.MaxConcurrentRestores || aloneRuns || (needsEmpty && anyRuns))
            {
                return;
            }

            free -= slots;
            restoring++;
            anyRuns = true;
            aloneRuns = needsEmpty;
            host.Journaling.Execute(cell, cell.Entity.Grant(context.Now));
        }
    }

    private TaskCell[] Candidates() =>
    [
        .. host.Shards
            .Where(s => s.Phase == ShardPhase.Active)
            .SelectMany(s => s.Cells.Values)
            .Where(c => c.Pending is null && c.Waiting.Count == 0 && c.Entity.WantsSlots(context.Now))
            .OrderByDescending(c => c.Entity.State!.Spec.Priority)
            .ThenBy(c => c.Entity.Task),
    ];
}
