using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Placement;

/// <summary>Says of a task that waits that it would wait for ever.</summary>
public static class SlotFit
{
    /// <summary>The task, with the reason as its detail when it takes more slots than any living node has.</summary>
    /// <param name="task">The task.</param>
    /// <param name="view">The nodes.</param>
    public static TaskSummary Explain(TaskSummary task, ClusterView view)
    {
        if (task.Status is not (TaskStatus.Pending or TaskStatus.Retrying) || view.Members.Any(m => m.IsLiving && m.Slots >= task.Slots))
        {
            return task;
        }

        int largest = view.Members.Where(m => m.IsLiving).Select(m => m.Slots).DefaultIfEmpty(0).Max();
        return largest == 0
            ? task
            : task with
            {
                Detail =
                    FormattableString.Invariant(
                        $"no node can ever fit it: it takes {task.Slots} slots, and the largest node has {largest}; "
                    ) + FormattableString.Invariant($"start a node with --slots {task.Slots}, or give the task fewer"),
            };
    }
}
