using System.Text.Json;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// Carries steps of tasks through the journal: persist, commit, then effects and reply. An append whose outcome is not known is sent again,
/// the same, until it is; the task takes nothing else meanwhile.
/// </summary>
internal sealed class TaskJournaling(NodeContext context)
{
    private const int SnapshotEvery = 200;
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(250);

    private readonly List<TaskCell> _outgoing = [];

    /// <summary>The owner and term of a shard on this node, or null when it is not owned.</summary>
    public Func<int, long?> TermOf { get; set; } = _ => null;

    /// <summary>The journal refused a cell's append: another owner, or another history.</summary>
    public Action<TaskCell, AppendResult> Refused { get; set; } = (_, _) => { };

    /// <summary>A cell finished a step.</summary>
    public Action<TaskCell> Settled { get; set; } = _ => { };

    /// <summary>Starts what a step wants. The cell must not have an append under way.</summary>
    public void Execute(TaskCell cell, EntityStep step, Action<CommandReply>? reply = null, Action? then = null)
    {
        if (step.Persist.Count == 0)
        {
            Finish(cell, step, reply, then);
            return;
        }

        if (TermOf(cell.Shard) is not long term)
        {
            reply?.Invoke(new CommandUnavailable("the task moves to another node"));
            return;
        }

        TaskState state = TaskState.Fold(cell.Entity.Task, cell.Entity.State, step.Persist)!;
        long next = cell.LastSequence + step.Persist.Count;
        TaskSnapshotRow? snapshot = next / SnapshotEvery > cell.LastSequence / SnapshotEvery
            ? new TaskSnapshotRow(next, TaskState.FoldVersion, JsonSerializer.Serialize(state, CoreJsonContext.Default.TaskState))
            : null;
        string id = FormattableString.Invariant($"{context.Random.NextUInt64():x16}{context.Random.NextUInt64():x16}");
        TaskAppend append = new(
            cell.Entity.Task, cell.Shard, cell.LastSequence, context.Self, term, id, step.Persist, state.Summarize(cell.Shard), snapshot);
        cell.Pending = new PendingAppend(append, step, reply) { Then = then };
        _outgoing.Add(cell);
    }

    /// <summary>Gives a cell an input, at once or when its append is through.</summary>
    public void Offer(TaskCell cell, CellWork work)
    {
        if (cell.Pending is not null || cell.Waiting.Count > 0)
        {
            cell.Enqueue(work);
            return;
        }

        Take(cell, work);
    }

    /// <summary>Sends what this step of the loop has collected, as one request.</summary>
    public void Flush()
    {
        if (_outgoing.Count == 0)
        {
            return;
        }

        TaskCell[] cells = [.. _outgoing.Where(c => c.Pending is not null)];
        _outgoing.Clear();
        if (cells.Length > 0)
        {
            Send(cells);
        }
    }

    /// <summary>Sends again what got no answer.</summary>
    public void Tick(IEnumerable<TaskCell> cells)
    {
        foreach (TaskCell cell in cells)
        {
            if (cell.Pending is { AgainAt: TimeSpan at } pending && context.Now >= at)
            {
                pending.AgainAt = null;
                _outgoing.Add(cell);
            }
        }
    }

    private void Send(TaskCell[] cells)
    {
        PendingAppend[] sent = [.. cells.Select(c => c.Pending!)];
        context.Ask(new AppendRequest([.. sent.Select(p => p.Append)]), reply =>
        {
            for (int i = 0; i < cells.Length; i++)
            {
                // A cell that was dropped meanwhile has no append, or another one.
                if (ReferenceEquals(cells[i].Pending, sent[i]))
                {
                    Settle(cells[i], sent[i], reply is AppendReply answer ? answer.Results[i] : null);
                }
            }
        });
    }

    private void Settle(TaskCell cell, PendingAppend pending, AppendResult? result)
    {
        switch (result)
        {
            case null:
                pending.AgainAt = context.Now + AgainAfter;
                return;
            case AppendAccepted accepted:
                cell.Pending = null;
                cell.LastSequence = accepted.LastSequence;
                cell.Entity.Commit(pending.Append.Events, context.Now);
                Finish(cell, pending.Step, pending.Reply, pending.Then);
                break;
            default:
                cell.Pending = null;
                Refused(cell, result);
                pending.Reply?.Invoke(ReplyTo(result));
                return;
        }

        if (cell.Pending is null && cell.AfterPending is { } after)
        {
            cell.AfterPending = null;
            Execute(cell, after());
        }

        while (cell.Pending is null && cell.Waiting.First is { } first)
        {
            cell.Waiting.RemoveFirst();
            Take(cell, first.Value);
        }
    }

    private static CommandReply ReplyTo(AppendResult result) => result switch
    {
        AppendNameTaken taken => new CommandRefused($"name taken by {taken.Existing}"),
        _ => new CommandUnavailable("the task has moved to another node"),
    };

    private void Take(TaskCell cell, CellWork work)
    {
        EntityStep step = work.Command is not null
            ? cell.Entity.On(work.Command, context.Now)
            : cell.Entity.On(work.Input!, context.Now, context.Random);
        Execute(cell, step, work.Reply);
    }

    private void Finish(TaskCell cell, EntityStep step, Action<CommandReply>? reply, Action? then)
    {
        foreach (TaskEffect effect in step.AfterCommit)
        {
            context.Do(new StartTaskEffect(effect));
        }

        if (step.Reply is not null)
        {
            reply?.Invoke(step.Reply);
        }

        cell.Released |= step.Release;
        then?.Invoke();
        Settled(cell);
    }
}
