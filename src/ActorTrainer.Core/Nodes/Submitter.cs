using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// Takes a submit: finds the task of that name, or draws an id whose shard belongs to the node that the allocation policy chooses and has no
/// unfinished task yet, so that one task's move does not interrupt a neighbour.
/// </summary>
internal sealed class Submitter(NodeContext context, Router router)
{
    private const int MaxDraws = 20_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly List<(ClientSubmit Submit, TimeSpan Until)> _early = [];

    /// <summary>Tasks on their way, so that submits in quick succession see each other: the rows lag by a second.</summary>
    private readonly Dictionary<TaskId, (TaskDemand Demand, TimeSpan Until)> _underWay = [];

    /// <summary>Reads the rows anew and then goes on, whether they could be read or not.</summary>
    public Action<Action> WithFreshRows { get; set; } = then => then();

    public void On(ClientSubmit submit) => Begin(submit, context.Now + Patience);

    public void Tick()
    {
        foreach ((TaskId task, (TaskDemand _, TimeSpan until)) in _underWay.OrderBy(u => u.Key).ToArray())
        {
            if (context.Now >= until)
            {
                _underWay.Remove(task);
            }
        }

        (ClientSubmit Submit, TimeSpan Until)[] early = [.. _early];
        _early.Clear();
        foreach ((ClientSubmit submit, TimeSpan until) in early)
        {
            Begin(submit, until);
        }
    }

    private void Begin(ClientSubmit submit, TimeSpan until)
    {
        if (context.Ended || context.Now > until)
        {
            context.Do(new AnswerClient(submit.Client, new CommandUnavailable("no node is ready to take tasks; see 'actortrainer cluster show'")));
        }
        else if (!Candidates().Any(n => n.Accepts))
        {
            // Just started: the first assignment is on its way.
            _early.Add((submit, until));
        }
        else
        {
            context.Ask(new ListTasksRequest(Name: submit.Spec.Name), reply => OnLooked(submit, until, reply));
        }
    }

    /// <summary>Nodes that own shards: an id has to fall into one of them.</summary>
    private IReadOnlyList<NodeCapacity> Candidates()
    {
        HashSet<long> owners = [.. context.Owners().Values];
        return [.. context.Capacities().Where(n => owners.Contains(n.Incarnation))];
    }

    private void OnLooked(ClientSubmit submit, TimeSpan until, JournalReply reply)
    {
        if (reply is not ListTasksReply list)
        {
            if (context.Now < until)
            {
                _early.Add((submit, until));
                return;
            }

            string reason = reply is JournalFailed failed ? failed.Reason : "the journal does not answer";
            context.Do(new AnswerClient(submit.Client, new CommandUnavailable(reason)));
            return;
        }

        if (list.Tasks.Count > 0)
        {
            TaskSummary existing = list.Tasks[0].Summary;
            context.Do(new AnswerClient(submit.Client, existing.SpecHash == submit.SpecHash
                ? new CommandAccepted(existing.Task, Existed: true)
                : new CommandRefused(
                    $"the name '{submit.Spec.Name}' belongs to task {existing.Task}, which has another specification; choose another name")));
            return;
        }

        // What was just submitted through other nodes has to be seen, or each node would choose the same one.
        WithFreshRows(() =>
        {
            if (Candidates().Any(n => n.Accepts))
            {
                TaskId task = Draw(submit.Spec);
                router.Route(task, new SubmitTask(submit.Spec, submit.SpecHash), 0, answer => Answer(submit, task, answer));
            }
            else
            {
                _early.Add((submit, until));
            }
        });
    }

    private void Answer(ClientSubmit submit, TaskId task, CommandReply reply)
    {
        if (reply is not CommandAccepted)
        {
            _underWay.Remove(task);
        }

        if (reply is CommandRefused refused && refused.Reason.StartsWith("name taken", StringComparison.Ordinal))
        {
            // Another submit of the name was faster: its row says whether it was the same.
            context.Ask(new ListTasksRequest(Name: submit.Spec.Name), again => OnLooked(submit, context.Now + Patience, again));
            return;
        }

        context.Do(new AnswerClient(submit.Client, reply));
    }

    private TaskId Draw(TaskSpec spec)
    {
        TaskDemand[] demands = [.. context.Demands(), .. UnderWay()];
        Dictionary<int, long> owners = context.Owners();
        long target = AllocationPolicy.ChooseNode(spec.Slots, owners, Candidates(), demands, context.Model.Sharding.Allocation);
        HashSet<int> busy = [.. demands.Select(d => d.Shard)];
        TaskId task = default;
        for (int i = 0; i < MaxDraws; i++)
        {
            task = TaskId.Draw(spec.Name, context.Random);
            int shard = ShardMap.ShardOf(task, context.Model.Sharding.NumberOfShards);
            bool free = !busy.Contains(shard);

            // With nearly every shard busy the right owner matters more than a shard of its own.
            if (owners.GetValueOrDefault(shard) == target && (free || i > MaxDraws / 2))
            {
                break;
            }
        }

        int chosen = ShardMap.ShardOf(task, context.Model.Sharding.NumberOfShards);
        _underWay[task] = (new TaskDemand(task, chosen, spec.Priority, spec.Slots, true, 0, false), context.Now + (2 * Patience));
        return task;
    }

    private IEnumerable<TaskDemand> UnderWay()
    {
        HashSet<TaskId> known = [.. context.Rows.Tasks.Select(t => t.Task)];
        return _underWay.OrderBy(u => u.Key).Where(u => !known.Contains(u.Key)).Select(u => u.Value.Demand);
    }
}
