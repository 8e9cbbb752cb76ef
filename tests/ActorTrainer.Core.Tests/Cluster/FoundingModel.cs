using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Tests.Cluster;

/// <summary>
/// Up to four nodes on one journal, driven by a seed. What a life has read it acts upon at a later step, when the journal may say
/// otherwise.
/// </summary>
internal sealed class FoundingModel(int seed)
{
    private const int Nodes = 4;

#pragma warning disable CA5394 // A schedule, no secret.
    private readonly Random _random = new(seed);
#pragma warning restore CA5394
    private readonly Dictionary<long, Life> _lives = [];
    private long _epoch;
    private long _founder;

    /// <summary>One life looks or acts; or one is killed, or begins.</summary>
    public void Step(bool faults)
    {
        int node = Next(Nodes);
        Life? life = _lives.Values.LastOrDefault(l => l.Node == node && l.Alive);
        if (life is null)
        {
            Begin(node);
        }
        else if (faults && Next(8) == 0)
        {
            life.Alive = false;
        }
        else if (life.Read is { } read)
        {
            life.Read = null;
            Act(life, read);
        }
        else
        {
            Look(life);
        }

        // A life that is down on record ends when it looks; until then it may have been let in by the founder of the next epoch.
        foreach (IGrouping<long, Life> epoch in _lives.Values.Where(l => l.Cluster != 0 && !l.Gone).GroupBy(l => l.Epoch))
        {
            epoch.Select(l => l.Cluster).Distinct().Count().ShouldBe(1, $"seed {seed}: one cluster for epoch {epoch.Key}");
        }
    }

    public void ShouldBeOneCluster()
    {
        Life[] living = [.. _lives.Values.Where(l => l.Alive)];
        living.Length.ShouldBe(Nodes, $"seed {seed}");
        living.ShouldAllBe(
            l => l.Epoch == _epoch && l.Cluster == living[0].Cluster && l.Cluster != 0,
            $"seed {seed}: {string.Join("; ", living.Select(l => l.ToString()))}"
        );
    }

    private int Next(int below) => _random.Next(below);

    private void Begin(int node)
    {
        foreach (Life former in _lives.Values.Where(l => l.Node == node))
        {
            former.Gone = true;
        }

        long number = _lives.Count + 1;
        _lives.Add(number, new Life(number, node));
    }

    private void Look(Life life)
    {
        if (life.Cluster != 0)
        {
            // It is in; what it still reads is whether it is of the past.
            life.Alive = !life.Gone && life.Epoch == _epoch;
            return;
        }

        EpochLife[] others =
        [
            .. _lives
                .Values.Where(l => l != life && !l.Gone && l.Epoch == _epoch && _epoch > 0)
                .Select(l => new EpochLife(l.Number, l.IsUp ? MemberStatus.Up : MemberStatus.Joining, !l.Alive)),
        ];
        FoundingView view = new(life.Number, life.Epoch, life.Gone, _epoch, _founder, others);
        life.Looks = FoundingRule.OnlyJoiners(view) ? life.Looks + 1 : 0;
        life.Read = view with { Waited = TimeSpan.FromSeconds(life.Looks) };
    }

    private void Act(Life life, FoundingView read)
    {
        switch (FoundingRule.Decide(read, new HashSet<long>(), 0))
        {
            case FoundingStep.Found found when read.Epoch == _epoch && !life.Gone && !Hindering(life).Except(found.Past).Any():
                foreach (Life past in _lives.Values.Where(l => l != life && l.Epoch > 0))
                {
                    past.Gone = true;
                }

                (_epoch, _founder, life.Epoch) = (_epoch + 1, life.Number, _epoch + 1);
                break;
            case FoundingStep.Enter enter when enter.Epoch == _epoch && !life.Gone:
                life.Epoch = enter.Epoch;
                break;
            case FoundingStep.JoinSelf:
                (life.Cluster, life.IsUp) = (life.Number, true);
                break;
            case FoundingStep.Join join when _lives[join.Lives[Next(join.Lives.Count)]] is { Alive: true, Cluster: not 0 } contact:
                life.Cluster = contact.Cluster;
                life.IsUp = Next(2) == 0;
                break;
            case FoundingStep.End:
                life.Alive = false;
                break;
        }
    }

    private IEnumerable<long> Hindering(Life self) =>
        _lives
            .Values.Where(l => l != self && !l.Gone && l.Epoch > 0 && l.Epoch <= _epoch && (l.IsUp || l.Number == _founder))
            .Select(l => l.Number);

    private sealed record Life(long Number, int Node)
    {
        public bool Alive { get; set; } = true;

        /// <summary>Down on record.</summary>
        public bool Gone { get; set; }

        public long Epoch { get; set; }

        /// <summary>The founder of the cluster that it is in; 0: none.</summary>
        public long Cluster { get; set; }

        public bool IsUp { get; set; }

        public int Looks { get; set; }

        public FoundingView? Read { get; set; }
    }
}
