using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>
/// Three nodes, four tasks and one journal, driven by a seed in steps of 200 ms. Each life has a <see cref="DowningRule"/>, each
/// coordinator a <see cref="PlacementPlanner"/>, each owner a <see cref="TaskEntity"/>; the journal takes an event where its sequence is
/// free, and nothing else fences.
/// </summary>
internal sealed partial class OwnershipModel
{
    private const int Nodes = 3;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);
    private static readonly TaskId[] Tasks =
    [
        .. Enumerable.Range(0, 4).Select(i => TaskId.Parse(FormattableString.Invariant($"task{i}-a1b2c"))),
    ];

    private readonly int _seed;
#pragma warning disable CA5394 // A schedule, no secret.
    private readonly Random _random;
#pragma warning restore CA5394
    private readonly List<ModelLife> _lives = [];
    private readonly HashSet<long> _downOnRecord = [];
    private readonly List<ModelWrite> _inFlight = [];
    private readonly int[] _group = new int[Nodes];
    private TimeSpan _now = TimeSpan.FromSeconds(10);
    private bool _faults;

    public OwnershipModel(int seed)
    {
        _seed = seed;
#pragma warning disable CA5394
        _random = new Random(seed);
#pragma warning restore CA5394
        for (int node = 0; node < Nodes; node++)
        {
            Begin(node);
        }
    }

    /// <summary>What the journal has of each task, in order.</summary>
    private Dictionary<TaskId, List<(long Term, ModelOwner By, TaskEvent Event)>> Journal { get; } =
        Tasks.ToDictionary(t => t, _ => new List<(long, ModelOwner, TaskEvent)>());

    /// <summary>Writes that the journal did not take, since another owner had written under the same sequence.</summary>
    public int Refused { get; private set; }

    /// <summary>How often each task was started.</summary>
    public IEnumerable<int> Runs => Journal.Values.Select(events => events.Count(e => e.Event is TaskStarted));

    public void RunWithFaults(int steps)
    {
        _faults = true;
        for (int i = 0; i < steps; i++)
        {
            if (Chance(8))
            {
                Fault();
            }

            Advance();
        }

        _faults = false;
    }

    /// <summary>No more faults: everything that was broken is mended, and every task has to be done after a while.</summary>
    public void Settle()
    {
        Array.Fill(_group, 0);
        foreach (ModelLife life in _lives)
        {
            life.Stopped = false;
            life.HasJournal = true;
        }

        for (int i = 0; i < 1500 && !Tasks.All(IsDone); i++)
        {
            Advance();
        }

        Tasks.ShouldAllBe(t => IsDone(t), $"seed {_seed}: every task is run by somebody until it is done\n{this}");
        Array.ForEach(Tasks, ShouldHaveOneHistory);
    }

    public override string ToString() =>
        string.Join(
            '\n',
            _lives
                .Where(l => l.Alive)
                .Select(l =>
                    $"life {l.Number}: {string.Join(", ", l.Homes.Select(h => $"{h.Key} at {h.Value}"))}; "
                    + $"has {string.Join(", ", l.Owners.Keys)}"
                )
                .Concat(
                    Journal.Select(j =>
                        $"{j.Key}: {string.Join(' ', j.Value.TakeLast(12).Select(e => $"{e.Term}:{e.Event.GetType().Name}"))}"
                    )
                )
        );

    private bool IsDone(TaskId task) => Journal[task].Any(e => e.Event is TaskCompleted);

    private int Next(int below)
    {
#pragma warning disable CA5394
        return _random.Next(below);
#pragma warning restore CA5394
    }

    private bool Chance(int oneIn) => Next(oneIn) == 0;

    private void Fault()
    {
        ModelLife life = _lives.Where(l => l.Alive).ElementAt(Next(_lives.Count(l => l.Alive)));
        switch (Next(6))
        {
            case 0:
                End(life);
                break;
            case 1:
            case 2:
                life.Stopped = !life.Stopped;
                break;
            case 3:
                life.HasJournal = !life.HasJournal;
                break;
            case 4:
                _group[Next(Nodes)] = Next(2);
                break;
            case 5:
                Array.Fill(_group, 0);
                break;
        }
    }

    private void Begin(int node)
    {
        foreach (ModelLife before in _lives.Where(l => l.Node == node))
        {
            _downOnRecord.Add(before.Number);
        }

        ModelLife life = new(_lives.Count + 1, node);
        _lives.Add(life);
    }

    /// <summary>The process is gone, and its workers with it; another one begins at once.</summary>
    private void End(ModelLife life)
    {
        life.Alive = false;
        life.Owners.Clear();
        Begin(life.Node);
    }

    private bool Hears(ModelLife one, ModelLife other) =>
        one == other || (other.Alive && !other.Stopped && _group[one.Node] == _group[other.Node]);

    private void Advance()
    {
        _now += Step;
        foreach (ModelWrite write in _inFlight.Where(w => w.Result is null && !Chance(3)).ToArray())
        {
            // Whoever sent it may be gone by now: a write that is under way is done all the same.
            Take(write);
        }

        foreach (ModelLife life in _lives.Where(l => l is { Alive: true, Stopped: false }).ToArray())
        {
            if (life.HasJournal && _downOnRecord.Contains(life.Number))
            {
                End(life);
                continue;
            }

            Down(life);
            Place(life);
            foreach (ModelOwner owner in life.Owners.Values.ToArray())
            {
                Act(life, owner);
            }
        }
    }

    /// <summary>A life looks at the others, and does what the rule says of those that it does not hear.</summary>
    private void Down(ModelLife life)
    {
        ModelLife[] members = [.. _lives.Where(l => (l.Alive || !_downOnRecord.Contains(l.Number)) && !life.Downed.Contains(l.Number))];
        if (life.HasJournal)
        {
            life.ReadAt = _now;
            life.Beats.Observe(
                [.. members.Select(m => (m.Number, m.Alive && !m.Stopped && m.HasJournal ? (long)_now.TotalSeconds : 0))],
                _now
            );
            life.Downed.UnionWith(_downOnRecord);

            // What was decided while the journal was away is written down now.
            _downOnRecord.UnionWith(life.Downed);
        }

        if (members.All(m => Hears(life, m)) && life.Rule.Unreachable.Count == 0)
        {
            return;
        }

        DowningStep step = life.Rule.Decide(
            new DowningInput(
                Key(life.Number),
                [
                    .. members.Select(m => new DowningMember(Key(m.Number), true, Hears(life, m), !m.Alive && life.HasJournal)
                    {
                        Agrees = members.All(o => Hears(life, o) || !Hears(m, o)),
                        BeatMovedAt = life.Beats.MovedAt(m.Number),
                    }),
                ],
                life.ReadAt,
                false
            ),
            _now
        );
        switch (step)
        {
            case DowningStep.Down down:
                Downed(life, down.Victims);
                break;
            case DowningStep.Take take when life.HasJournal && !_downOnRecord.Contains(life.Number):
                Downed(life, take.Victims);
                break;
            case DowningStep.EndLife:
                End(life);
                break;
        }
    }

    private void Downed(ModelLife by, IReadOnlyList<MemberKey> victims)
    {
        foreach (ModelLife life in _lives.Where(l => Hears(by, l)))
        {
            life.Downed.UnionWith(victims.Select(v => v.Uid));
        }

        if (by.HasJournal)
        {
            _downOnRecord.UnionWith(victims.Select(v => v.Uid));
        }
    }

    private static int ShardOf(TaskId task) => ShardMap.ShardOf(task, 1024);

    /// <summary>An owner learns what became of its write, or takes the next thing that its worker did.</summary>
    private void Act(ModelLife life, ModelOwner owner)
    {
        if (owner.Write is { } write)
        {
            if (!life.HasJournal || (_faults && Chance(20)))
            {
                // No answer: it may be done or not, now or later. The actor stops; the next recovery sees.
                life.Owners.Remove(owner.Task);
            }
            else if (write.Result is bool taken)
            {
                _inFlight.Remove(write);
                owner.Write = null;
                if (!taken)
                {
                    life.Owners.Remove(owner.Task);
                    return;
                }

                owner.Sequence += write.Step.Persist.Count;
                owner.Entity.Commit(write.Step.Persist, _now);
                owner.Start(write.Step);
            }

            return;
        }

        if (life.Homes.GetValueOrDefault(owner.Task) is long home && home != life.Number && Chance(3))
        {
            // It hears of the move late, and goes without a word.
            life.Owners.Remove(owner.Task);
        }
        else if (owner.Entity.State is { Status: Core.Tasks.TaskStatus.Held })
        {
            // Too many nodes were lost with it: somebody looks after it.
            Execute(owner, owner.Entity.On(new ResumeTask(), _now));
        }
        else if (owner.Entity.WantsSlots(_now))
        {
            EntityStep activation = owner.Entity.NeedsActivation ? owner.Entity.Activate(_now) : EntityStep.Nothing;
            Execute(owner, Together(activation, owner.Entity.Grant(_now)));
        }
        else if (owner.NextInput(_random) is { } input)
        {
            Execute(owner, owner.Entity.On(input, _now, owner.Random));
        }
        else
        {
            Execute(owner, owner.Entity.Tick(_now, owner.Random));
        }
    }

    private void Execute(ModelOwner owner, EntityStep step)
    {
        if (step.Persist.Count == 0)
        {
            owner.Start(step);
            return;
        }

        if (owner.Entity.NeedsActivation)
        {
            step = Together(owner.Entity.Activate(_now), step);
        }

        owner.Write = new ModelWrite(owner, owner.Entity.Term, step);
        _inFlight.Add(owner.Write);
    }

    private static EntityStep Together(EntityStep first, EntityStep then) =>
        then with
        {
            Persist = [.. first.Persist, .. then.Persist],
            AfterCommit = [.. first.AfterCommit, .. then.AfterCommit],
        };

    /// <summary>The journal: (task, sequence) is a key.</summary>
    private void Take(ModelWrite write)
    {
        List<(long Term, ModelOwner By, TaskEvent Event)> events = Journal[write.Owner.Task];
        write.Result = events.Count == write.Owner.Sequence;
        if (write.Result == true)
        {
            write.Owner.Fenced.ShouldBeFalse($"seed {_seed}: an owner that was refused has written");
            events.AddRange(write.Step.Persist.Select(e => (write.Term, write.Owner, e)));
        }
        else
        {
            write.Owner.Fenced = true;
            Refused++;
        }

        _inFlight.Remove(write);
    }

    private void ShouldHaveOneHistory(TaskId task)
    {
        long term = 0;
        long committed = 0;
        ModelOwner? owner = null;
        foreach ((long under, ModelOwner by, TaskEvent e) in Journal[task])
        {
            if (ActivatedTerm(e) is long of)
            {
                of.ShouldBe(term + 1, $"seed {_seed}: {task}\n{this}");
                (term, owner) = (of, by);
            }
            else
            {
                (under, by).ShouldBe((term, owner), $"seed {_seed}: {task}: {e.GetType().Name} of another owner\n{this}");
            }

            committed = e is TaskCheckpointed saved ? Math.Max(committed, saved.Checkpoint.Step) : committed;
            if (e is TaskStarted started)
            {
                started.RestoredStep.ShouldBe(committed, $"seed {_seed}: {task} went on from elsewhere than its last checkpoint\n{this}");
            }
        }
    }

    private static long? ActivatedTerm(TaskEvent e) =>
        e switch
        {
            TaskSubmitted submitted => submitted.Term,
            TaskActivated activated => activated.Term,
            _ => null,
        };

    private static MemberKey Key(long life) => new(FormattableString.Invariant($"{life:000}"), life);
}
