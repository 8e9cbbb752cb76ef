using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Cluster;

/// <summary>
/// Members cut into groups, some of them stopped, with the journal there or away or coming back, each with a rule of its own, in steps of
/// 100 ms. Never do two groups go on without each other while they can ask the journal, and no member that hears a majority ends or is
/// downed by it.
/// </summary>
public sealed class DowningModelTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData("ab|c")]
    [InlineData("a|b")]
    [InlineData("ab|cd")]
    [InlineData("abc|de")]
    [InlineData("ab|cd|e")]
    [InlineData("a|b|c")]
    public void Cut_WithAJournal_OneGroupGoesOnAtMost(string groups)
    {
        Model model = new([.. groups.Split('|')], stopped: "", journalFrom: 0);

        model.Run(seconds: 12);

        string[] goesOn = [.. groups.Split('|').Where(g => g.All(model.GoesOn))];
        goesOn.Length.ShouldBeLessThanOrEqualTo(1);
        int all = groups.Count(char.IsLetter);
        string? large = Array.Find(groups.Split('|'), g => 2 * g.Length >= all);
        (goesOn.Length == 1).ShouldBe(large is not null, "half of the members or more go on, and only less than half end themselves");
    }

    [Fact]
    public void Cut_OfTwoNodesWhileTheJournalIsAway_NobodyEndsUntilItIsBack()
    {
        Model model = new(["a", "b"], stopped: "", journalFrom: 30);

        model.Run(seconds: 29);
        "ab".ShouldAllBe(c => model.GoesOn(c));
        model.Run(seconds: 10);

        "ab".Count(model.GoesOn).ShouldBe(1);
    }

    [Fact]
    public void Silence_OfOneWhileTheJournalIsAway_CostsNobodyElse()
    {
        Model model = new(["abc"], stopped: "c", journalFrom: 1000);

        model.Run(seconds: 2);

        "ab".ShouldAllBe(c => model.GoesOn(c));
        model.Downed('c').ShouldBeTrue();
    }

    [Fact]
    public void Silence_OfTwoOfThreeAtOnce_TheSurvivorGoesOn()
    {
        Model model = new(["abc"], stopped: "bc", journalFrom: 0);

        model.Run(seconds: 12);

        model.GoesOn('a').ShouldBeTrue();
        "bc".ShouldAllBe(c => model.Downed(c));
    }

    [Fact]
    public void Schedules_AnyCutAndStops_AMajorityThatRunsLosesNobodyAndTwoNeverGoOn() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
                seed =>
                {
#pragma warning disable CA5394 // A schedule, no secret.
                    Random random = new(seed);
                    string all = "abcdefg"[..random.Next(2, 8)];
                    string[] groups = [.. all.GroupBy(_ => random.Next(3)).Select(g => string.Concat(g))];
                    string stopped = string.Concat(all.Where(_ => random.Next(4) == 0));
                    Model model = new(groups, stopped, journalFrom: random.Next(2) * random.Next(10));
#pragma warning restore CA5394

                    model.Run(seconds: 30);

                    string[] goOn = [.. groups.Where(g => g.Except(stopped).Any(model.GoesOn))];
                    goOn.Length.ShouldBeLessThanOrEqualTo(1, $"seed {seed}: {string.Join('|', groups)} stopped {stopped}");
                    foreach (string group in groups.Where(g => 2 * g.Except(stopped).Count() > all.Length))
                    {
                        group
                            .Except(stopped)
                            .ShouldAllBe(c => model.GoesOn(c), $"seed {seed}: {string.Join('|', groups)} stopped {stopped}");
                    }
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private sealed class Model
    {
        private readonly string[] _groups;
        private readonly string _stopped;
        private readonly double _journalFrom;
        private readonly Dictionary<char, (DowningRule Rule, BeatLedger Beats, HashSet<char> Downed)> _nodes;
        private readonly HashSet<char> _onRecord = [];
        private readonly HashSet<char> _ended = [];
        private TimeSpan _now = TimeSpan.FromSeconds(10);
        private TimeSpan _passed;
        private TimeSpan? _read;

        public Model(string[] groups, string stopped, double journalFrom)
        {
            (_groups, _stopped, _journalFrom) = (groups, stopped, journalFrom);
            _nodes = string.Concat(groups)
                .ToDictionary(c => c, _ => (new DowningRule(new DowningTimes()), new BeatLedger(), new HashSet<char>()));
        }

        /// <summary>Whether a member runs on and nobody has given it up on record.</summary>
        public bool GoesOn(char name) => !_ended.Contains(name) && !_onRecord.Contains(name);

        public bool Downed(char name) => _onRecord.Contains(name) || _nodes.Values.Any(n => n.Downed.Contains(name));

        public void Run(int seconds)
        {
            for (int i = 0; i < seconds * 10; i++, _now += Step, _passed += Step)
            {
                bool journal = _passed.TotalSeconds >= _journalFrom;
                _read = journal ? _now : _read;
                foreach (char name in _nodes.Keys.Where(n => !_stopped.Contains(n) && !_ended.Contains(n)))
                {
                    if (journal && _onRecord.Contains(name))
                    {
                        _ended.Add(name);
                        continue;
                    }

                    if (journal)
                    {
                        _nodes[name].Beats.Observe([.. _nodes.Keys.Select(n => ((long)n, BeatOf(n)))], _now);
                    }

                    Act(name, _nodes[name].Rule.Decide(InputOf(name), _now), journal);
                }
            }
        }

        private long BeatOf(char name) => _stopped.Contains(name) || _ended.Contains(name) ? 0 : (long)_passed.TotalSeconds;

        private bool Hears(char one, char other) =>
            !_stopped.Contains(other) && !_ended.Contains(other) && _groups.Any(g => g.Contains(one) && g.Contains(other));

        private DowningInput InputOf(char name)
        {
            (DowningRule _, BeatLedger beats, HashSet<char> downed) = _nodes[name];
            return new DowningInput(
                Key(name),
                [
                    .. _nodes
                        .Keys.Where(n => !downed.Contains(n))
                        .Select(n => new DowningMember(Key(n), true, n == name || Hears(name, n), false)
                        {
                            Agrees = true,
                            BeatMovedAt = beats.MovedAt(n),
                        }),
                ],
                _read,
                false
            );
        }

        private void Act(char name, DowningStep step, bool journal)
        {
            switch (step)
            {
                case DowningStep.Down down:
                    Down(name, down.Victims, journal);
                    break;
                case DowningStep.Take take when journal && !_onRecord.Contains(name):
                    Down(name, take.Victims, journal);
                    break;
                case DowningStep.EndLife:
                    _ended.Add(name);
                    break;
            }
        }

        /// <summary>Gossip tells the others of the group at once.</summary>
        private void Down(char name, IReadOnlyList<MemberKey> victims, bool journal)
        {
            char[] names = [.. victims.Select(v => v.Address[0])];
            foreach (char other in _nodes.Keys.Where(n => n == name || Hears(name, n)))
            {
                _nodes[other].Downed.UnionWith(names);
            }

            if (journal)
            {
                _onRecord.UnionWith(names);
            }
        }

        private static MemberKey Key(char name) => new(name.ToString(), 1);
    }
}
