using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using static ActorTrainer.Testing.Journaling.JournalSamples;

namespace ActorTrainer.Journal.Tests;

/// <summary>Owners that append by what each believes of terms and sequences, and a record of what they were told.</summary>
internal sealed class CompetingOwners
{
    public const int Owners = 3;
    public const int Shards = 2;
    public const int Tasks = 4;

    private readonly Func<JournalRequest, JournalReply> _ask;
    private readonly long[] _incarnations = new long[Owners];
    private readonly Dictionary<(int Owner, int Shard), long> _terms = [];
    private readonly Dictionary<(int Owner, int Task), long> _sequences = [];
    private readonly Dictionary<int, TaskAppend> _lastAppend = [];
    private readonly Dictionary<(int Shard, long Term), long> _ownerOfTerm = [];
    private readonly long[] _highestTerm = new long[Shards];
    private readonly List<(TaskAppend Append, long Sequence)> _accepted = [];
    private int _number;

    public CompetingOwners(Func<JournalRequest, JournalReply> ask)
    {
        _ask = ask;
        for (int owner = 0; owner < Owners; owner++)
        {
            Register(owner);
        }
    }

    public enum MoveKind
    {
        Assign,
        Append,
        SendAgain,
        HandOver,
        Claim,
        Restart,
    }

    public sealed record Move(MoveKind Kind, int Owner, int Task, int Other);

    public void Do(Move move)
    {
        int shard = move.Task % Shards;
        switch (move.Kind)
        {
            case MoveKind.Assign:
                Assign(move.Owner, shard, move.Other);
                break;
            case MoveKind.Append:
                Append(move.Owner, move.Task, shard);
                break;
            case MoveKind.SendAgain when _lastAppend.TryGetValue(move.Owner, out TaskAppend? append):
                Send(move.Owner, move.Task, append);
                break;
            case MoveKind.HandOver:
                var give = new ShardAssignment(shard, _terms.GetValueOrDefault((move.Owner, shard)), _incarnations[move.Other]);
                Learn(move.Other, ((HandOverReply)_ask(new HandOverRequest(_incarnations[move.Owner], [give]))).Rows);
                break;
            case MoveKind.Claim:
                Claim(move.Owner, shard);
                break;
            case MoveKind.Restart:
                Register(move.Owner);
                break;
        }
    }

    public void CheckInvariants()
    {
        for (int task = 0; task < Tasks; task++)
        {
            IReadOnlyList<EventRow> events = ((ListEventsReply)_ask(new ListEventsRequest(Id(task), 0, int.MaxValue))).Events;
            events.Select(row => row.Sequence).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i));
            events.Select(row => row.Term).ShouldBe(events.Select(row => row.Term).Order());
            foreach ((TaskAppend append, long sequence) in _accepted.Where(accepted => accepted.Append.Task == Id(task)))
            {
                for (int i = 0; i < append.Events.Count; i++)
                {
                    EventRow row = events[(int)sequence - append.Events.Count + i];
                    (row.Term, Json(row.Event)).ShouldBe((append.Term, Json(append.Events[i])));
                }
            }

            events.Count.ShouldBe(_accepted.Where(accepted => accepted.Append.Task == Id(task))
                .DistinctBy(accepted => accepted.Append.AppendId).Sum(accepted => accepted.Append.Events.Count));
        }
    }

    /// <summary>What an answer says, without what may differ between journals.</summary>
    public static string Describe(JournalReply reply) => reply switch
    {
        AppendReply append => string.Join(", ", append.Results),
        RegisterReply register => $"incarnation {register.Incarnation}",
        AssignReply assign => $"{assign.LeaseHeld} {string.Join(", ", assign.Rows)}",
        HandOverReply handOver => string.Join(", ", handOver.Rows),
        ClaimReply claim => string.Join("; ", claim.Tasks.Select(task =>
            $"{task.Task} {task.LastSequence} {task.Snapshot} {string.Join(',', task.Events.Select(Json))}").Concat(claim.Fenced.Select(row => row.ToString()))),
        ListEventsReply list => string.Join("; ", list.Events.Select(row => $"{row.Sequence} {row.Term} {row.Time:O} {Json(row.Event)}")),
        ReadClusterReply cluster => JsonSerializer.Serialize(cluster.Rows, CoreJsonContext.Default.ClusterRows),
        _ => reply.ToString(),
    };

    private static TaskId Id(int task) => TaskId.Parse($"task-{task}");

    private static string Json(TaskEvent taskEvent) => JsonSerializer.Serialize(taskEvent, CoreJsonContext.Default.TaskEvent);

    private ClusterRows Read() => ((ReadClusterReply)_ask(new ReadClusterRequest(-1))).Rows;

    private void Register(int owner)
    {
        _incarnations[owner] = ((RegisterReply)_ask(new RegisterRequest(Member(7000 + owner)))).Incarnation;
    }

    private void Assign(int holder, int shard, int target)
    {
        ClusterRows rows = Read();
        var lease = (LeaseReply)_ask(new TakeRequest(_incarnations[holder], rows.Lease.Beat));
        lease.Accepted.ShouldBeTrue();
        var assignment = new ShardAssignment(shard, rows.Shards[shard].Term, _incarnations[target]);
        var reply = (AssignReply)_ask(new AssignRequest(lease.Lease.Holder, lease.Lease.Term, [assignment]));
        Learn(target, reply.Rows);
    }

    private void Append(int owner, int task, int shard)
    {
        _number++;
        long expected = _sequences.GetValueOrDefault((owner, task));
        TaskEvent[] events = expected == 0 ? [Submitted($"task-{task}"), Progressed(_number)] : [Progressed(_number)];
        var row = new ShardRow(shard, _incarnations[owner], _terms.GetValueOrDefault((owner, shard)));
        TaskAppend append = Part($"task-{task}", row, expected, $"append-{_number}", events);
        append = append with { Summary = append.Summary with { Priority = _number % 3, Runs = _number } };
        _lastAppend[owner] = append;
        Send(owner, task, append);
    }

    private void Send(int owner, int task, TaskAppend append)
    {
        AppendResult result = ((AppendReply)_ask(new AppendRequest([append]))).Results.ShouldHaveSingleItem();
        if (result is AppendAccepted accepted)
        {
            _accepted.Add((append, accepted.LastSequence));
            if (append.Task == Id(task))
            {
                _sequences[(owner, task)] = accepted.LastSequence;
            }
        }
        else if (result is AppendConflict conflict && append.Task == Id(task) && _number % 2 == 0)
        {
            _sequences[(owner, task)] = conflict.LastSequence;
        }
    }

    private void Claim(int owner, int shard)
    {
        long term = _terms.GetValueOrDefault((owner, shard));
        var reply = (ClaimReply)_ask(new ClaimRequest(_incarnations[owner], [new ShardTerm(shard, term)]));
        foreach (ClaimedTask task in reply.Tasks)
        {
            int number = int.Parse(task.Task.Value.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture);
            _sequences[(owner, number)] = task.LastSequence;
            task.Events.Count.ShouldBe((int)task.LastSequence);
        }
    }

    /// <summary>An owner learns the rows of its shards; everybody's rows are held against each other.</summary>
    private void Learn(int owner, IReadOnlyList<ShardRow> rows)
    {
        foreach (ShardRow row in rows)
        {
            row.Term.ShouldBeGreaterThanOrEqualTo(_highestTerm[row.Shard]);
            _highestTerm[row.Shard] = row.Term;
            if (!_ownerOfTerm.TryAdd((row.Shard, row.Term), row.Owner))
            {
                _ownerOfTerm[(row.Shard, row.Term)].ShouldBe(row.Owner);
            }

            if (row.Owner == _incarnations[owner])
            {
                _terms[(owner, row.Shard)] = row.Term;
            }
        }
    }
}
