using System.Globalization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class RetentionPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 14, 15, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Plan_MoreThanKeepLast_RemovesTheOldest()
    {
        RetentionPlan plan = Plan(2, Item(5), Item(4), Item(3), Item(2));
        plan.Remove.ShouldBe([new CheckpointRemoval(Name(3), "keep-last"), new CheckpointRemoval(Name(2), "keep-last")]);
        plan.Condemn.ShouldBe([Manifest(2), Manifest(3), Pack(2), Pack(3)]);
    }

    [Fact]
    public void Plan_NotMoreThanKeepLast_IsEmpty() => Plan(3, Item(5), Item(4), Item(3)).IsEmpty.ShouldBeTrue();

    [Fact]
    public void Plan_KeepLastBelowOne_KeepsTheLastGoodOne() =>
        Plan(0, Item(5), Item(4)).Remove.ShouldBe([new CheckpointRemoval(Name(4), "keep-last")]);

    [Fact]
    public void Plan_PackThatAKeptOneReferences_IsNotCondemned()
    {
        RetentionPlan plan = Plan(1, Item(5, Pack(2), Pack(5)), Item(4), Item(2));
        plan.Remove.Count.ShouldBe(2);
        plan.Condemn.ShouldBe([Manifest(2), Manifest(4), Pack(4)]);
    }

    [Fact]
    public void Plan_PinnedAndProtected_AreKeptBesidesTheLastOnes()
    {
        RetentionItem[] items = [Item(6), Item(5), Item(4) with { Pinned = true }, Item(3), Item(2)];
        RetentionPlan plan = RetentionPolicy.Plan(items, Spec(2), [Name(2)]);
        plan.Remove.ShouldBe([new CheckpointRemoval(Name(3), "keep-last")]);
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 4)]
    public void Plan_Best_IsKept(bool largest, int best)
    {
        RetentionItem[] items = [Item(6), Valued(5, 0.5), Valued(4, 0.9), Valued(3, 0.1), Valued(2, 0.1), Valued(1, double.NaN)];
        RetentionPlan plan = RetentionPolicy.Plan(items, Spec(1) with { BestMetric = "loss", BestIsLargest = largest }, []);
        // Of equals the older is the best: it was better than ever when it was taken.
        int kept = largest ? best : 2;
        plan.Remove.Select(removal => removal.Checkpoint).ShouldBe(new[] { 5, 4, 3, 2, 1 }.Where(step => step != kept).Select(Name));
    }

    [Theory]
    [InlineData(false, 0, "")]
    [InlineData(false, 1, "2")]
    [InlineData(false, 2, "3 2")]
    [InlineData(false, 3, "5 3 2")]
    [InlineData(false, 9, "5 4 3 2")]
    [InlineData(true, 2, "5 4")]
    public void Plan_KeepBest_KeepsSoManyOfTheBest(bool largest, int count, string kept)
    {
        RetentionItem[] items = [Item(6), Valued(5, 0.5), Valued(4, 0.9), Valued(3, 0.1), Valued(2, 0.1), Valued(1, double.NaN)];
        CheckpointSpec spec = Spec(1) with { BestMetric = "loss", BestIsLargest = largest, KeepBest = count };
        string[] removed = [.. RetentionPolicy.Plan(items, spec, []).Remove.Select(removal => removal.Checkpoint)];
        removed.ShouldBe(new[] { 5, 4, 3, 2, 1 }.Where(step => !kept.Contains($"{step}", StringComparison.Ordinal)).Select(Name));
        RetentionPolicy.Plan(items, spec with { BestMetric = null }, []).Remove.Count.ShouldBe(5, "nothing says what is best");
    }

    [Fact]
    public void Plan_KeepEverySteps_KeepsTheFirstGoodOneOfEachSpan()
    {
        RetentionItem[] items =
        [
            Item(31),
            Item(29),
            Item(20) with
            {
                Damaged = true,
            },
            Item(21),
            Item(19),
            Item(11) with
            {
                Overtaken = true,
            },
            Item(13),
            Item(7),
            Item(3),
        ];
        RetentionPlan plan = RetentionPolicy.Plan(items, Spec(1) with { KeepEverySteps = 10 }, []);
        plan.Remove.Select(removal => removal.Checkpoint).ShouldBe(new[] { 29, 20, 19, 11, 7 }.Select(Name));
    }

    [Fact]
    public void Plan_KeepEveryTime_KeepsTheFirstOfEachSpanWhoseTimeIsKnown()
    {
        RetentionItem[] items = [Saved(6, 190), Saved(5, 179), Saved(4, 125), Saved(3, 119), Saved(2, 61), Saved(1, null)];
        RetentionPlan plan = RetentionPolicy.Plan(items, Spec(1) with { KeepEvery = TimeSpan.FromHours(1) }, []);
        plan.Remove.Select(removal => removal.Checkpoint).ShouldBe(new[] { 5, 3, 1 }.Select(Name));
    }

    [Fact]
    public void Plan_AfterEverySave_LeavesOneForEachSpanThatEverHadOne() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => KeepsOneForEachSpan(new DeterministicRandom((ulong)seed)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Plan_DamagedAndOvertaken_CountNotAsLastOnesAndGoOnceAGoodNewerOneExists()
    {
        RetentionItem[] items =
        [
            Item(6) with
            {
                Damaged = true,
            },
            Item(5),
            Item(4) with
            {
                Overtaken = true,
            },
            Item(3) with
            {
                Damaged = true,
            },
            Item(2),
            Item(1),
        ];
        RetentionPolicy
            .Plan(items, Spec(2), [])
            .Remove.ShouldBe([
                new CheckpointRemoval(Name(4), "overtaken"),
                new CheckpointRemoval(Name(3), "damaged"),
                new CheckpointRemoval(Name(1), "keep-last"),
            ]);
    }

    [Fact]
    public void Plan_NoGoodOne_KeepsEverything() =>
        Plan(1, Item(3) with { Damaged = true }, Item(2) with { Damaged = true }, Item(1) with { Overtaken = true }).IsEmpty.ShouldBeTrue();

    [Fact]
    public void PlanRemoval_OfSome_CondemnsWhatOnlyTheyReference()
    {
        RetentionItem[] items = [Item(5, Pack(5), Pack(3)), Item(4) with { Pinned = true }, Item(3), Item(2, Pack(2), Pack(3))];
        RetentionPlan plan = RetentionPolicy.PlanRemoval(items, [Name(2), Name(3), "c-9-9-none"]);
        plan.Remove.ShouldBe([new CheckpointRemoval(Name(3), "removed"), new CheckpointRemoval(Name(2), "removed")]);
        plan.Condemn.ShouldBe([Manifest(2), Manifest(3), Pack(2)]);
        RetentionPolicy.PlanRemoval(items, ["c-9-9-none"]).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void PlanGarbage_UnnamedFilesOfEarlierTerms_AreFound()
    {
        string[] files =
        [
            "manifests/c-1-1-named.json",
            "manifests/c-1-2-left.json",
            "manifests/c-1-3-half.json.tmp",
            "manifests/c-3-9-now.json.tmp",
            "packs/c-1-1-named.pack",
            "packs/c-1-2-left.pack",
            "packs/c-2-4-left.pack",
            "packs/c-3-9-now.pack",
            "packs/notes.txt",
            "packs/c-1-0-old.pack",
        ];
        CheckpointRef named = Ref("c-1-1-named", ["packs/c-1-1-named.pack", "packs/c-1-0-old.pack"], []);
        RetentionPolicy
            .PlanGarbage(files, [named], term: 3)
            .ShouldBe(["manifests/c-1-2-left.json", "manifests/c-1-3-half.json.tmp", "packs/c-1-2-left.pack", "packs/c-2-4-left.pack"]);
    }

    [Fact]
    public void ChunkSources_ThoseThatShareAPackWithADamagedOne_AreLeftOut()
    {
        RetentionItem[] items =
        [
            Item(6),
            Item(5, Pack(5), Pack(3)),
            Item(4, Pack(4), Pack(3)) with
            {
                Damaged = true,
            },
            Item(3),
            Item(2),
            Item(1),
            Item(0),
        ];
        RetentionPolicy.ChunkSources(items).Select(checkpoint => checkpoint.Name).ShouldBe([Name(6), Name(2), Name(1)]);
        RetentionPolicy.ChunkSources(items, limit: 1).Count.ShouldBe(1);
    }

    [Fact]
    public void Plan_AnyList_RemovesNothingProtectedAndCondemnsNothingReferenced() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => Holds(new DeterministicRandom((ulong)seed)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static bool Holds(DeterministicRandom random)
    {
        RetentionItem[] items = RandomItems(random);
        string[] protectedNames = [.. items.Where(_ => random.Next(6) == 0).Select(item => item.Checkpoint.Name)];
        CheckpointSpec spec = Spec(random.Next(4)) with
        {
            BestMetric = random.Next(2) == 0 ? "loss" : null,
            BestIsLargest = random.Next(2) == 0,
            KeepBest = random.Next(3) == 0 ? null : random.Next(4),
            KeepEverySteps = random.Next(2) == 0 ? null : 1 + random.Next(5),
            KeepEvery = random.Next(2) == 0 ? null : TimeSpan.FromMinutes(1 + random.Next(5)),
        };
        RetentionPlan plan = RetentionPolicy.Plan(items, spec, protectedNames);

        HashSet<string> removed = plan.Remove.Select(removal => removal.Checkpoint).ToHashSet();
        RetentionItem[] kept = [.. items.Where(item => !removed.Contains(item.Checkpoint.Name))];
        RetentionItem[] good = [.. items.Where(item => !item.Damaged && !item.Overtaken)];
        RetentionItem[] valued = [.. good.Where(item => item.Checkpoint.Metrics.ContainsKey("loss"))];
        double[] best =
        [
            .. valued
                .Select(item => item.Checkpoint.Metrics["loss"])
                .Order()
                .Index()
                .OrderBy(value => spec.BestIsLargest ? -value.Index : value.Index)
                .Take(spec.BestMetric is null ? 0 : spec.KeepsBest())
                .Select(value => value.Item),
        ];
        HashSet<string> referenced = kept.SelectMany(item =>
                item.Checkpoint.Packs.Append(CheckpointNames.ManifestFile(item.Checkpoint.Name))
            )
            .ToHashSet();
        IEnumerable<string> needless = items
            .SelectMany(item => item.Checkpoint.Packs.Append(CheckpointNames.ManifestFile(item.Checkpoint.Name)))
            .Where(file => !referenced.Contains(file))
            .Distinct()
            .Order(StringComparer.Ordinal);
        return good.Take(Math.Max(1, spec.KeepLast)).All(kept.Contains)
            && items.Where(item => item.Pinned || protectedNames.Contains(item.Checkpoint.Name)).All(kept.Contains)
            && best.GroupBy(value => value)
                .All(value => kept.Intersect(valued).Count(item => item.Checkpoint.Metrics["loss"] == value.Key) >= value.Count())
            && HasOneForEach(good, kept, item => item.Checkpoint.Step / spec.KeepEverySteps)
            && HasOneForEach(good, kept, item => item.Checkpoint.SavedAt?.UtcTicks / spec.KeepEvery?.Ticks)
            && !plan.Condemn.Any(referenced.Contains)
            && plan.Condemn.SequenceEqual(needless)
            && RetentionPolicy.Plan(kept, spec, protectedNames).IsEmpty;
    }

    private static bool HasOneForEach(RetentionItem[] good, RetentionItem[] kept, Func<RetentionItem, long?> spanOf) =>
        good.Select(spanOf).OfType<long>().ToHashSet().IsSubsetOf(kept.Intersect(good).Select(spanOf).OfType<long>());

    private static bool KeepsOneForEachSpan(DeterministicRandom random)
    {
        CheckpointSpec spec = Spec(1 + random.Next(3)) with { KeepEverySteps = 1 + random.Next(6) };
        List<RetentionItem> listed = [];
        HashSet<long> spans = [];
        int step = 0;
        for (int i = 0; i < 40; i++)
        {
            step += random.Next(4);
            listed.Insert(0, new RetentionItem(Ref($"c-1-{step}-a{i}", [Pack(i)], [])));
            spans.Add(step / spec.KeepEverySteps.Value);
            HashSet<string> removed = [.. RetentionPolicy.Plan(listed, spec, []).Remove.Select(removal => removal.Checkpoint)];
            listed.RemoveAll(item => removed.Contains(item.Checkpoint.Name));
            if (!spans.SetEquals(listed.Select(item => item.Checkpoint.Step / spec.KeepEverySteps.Value)))
            {
                return false;
            }
        }

        // One for each, and the newest besides.
        return listed.Count <= spans.Count + spec.KeepLast;
    }

    // A history as saves make it: each new one references its own pack or some of those that were there before.
    private static RetentionItem[] RandomItems(DeterministicRandom random)
    {
        List<RetentionItem> items = [];
        int count = random.Next(12);
        for (int step = 0; step < count; step++)
        {
            SortedSet<string> packs = new(StringComparer.Ordinal);
            if (items.Count > 0 && random.Next(2) == 0)
            {
                packs.UnionWith(items[random.Next(items.Count)].Checkpoint.Packs);
            }

            if (packs.Count == 0 || random.Next(3) > 0)
            {
                packs.Add(Pack(step));
            }

            Dictionary<string, double> metrics = random.Next(3) == 0 ? [] : new() { ["loss"] = random.Next(5) };
            items.Add(
                new RetentionItem(
                    Ref(Name(step), [.. packs], metrics) with
                    {
                        SavedAt = random.Next(4) == 0 ? null : Start.AddMinutes(step),
                    },
                    random.Next(5) == 0,
                    random.Next(5) == 0,
                    random.Next(6) == 0
                )
            );
        }

        items.Reverse();
        return [.. items];
    }

    private static RetentionPlan Plan(int keepLast, params RetentionItem[] items) => RetentionPolicy.Plan(items, Spec(keepLast), []);

    private static CheckpointSpec Spec(int keepLast) => new() { KeepLast = keepLast };

    private static RetentionItem Item(int step, params string[] packs) =>
        new(Ref(Name(step), packs.Length == 0 ? [Pack(step)] : packs, []));

    private static RetentionItem Valued(int step, double loss) => new(Ref(Name(step), [Pack(step)], new() { ["loss"] = loss }));

    private static RetentionItem Saved(int step, int? minutes) =>
        new(Ref(Name(step), [Pack(step)], []) with { SavedAt = minutes is int at ? Start.AddMinutes(at) : null });

    private static CheckpointRef Ref(string name, IReadOnlyList<string> packs, Dictionary<string, double> metrics) =>
        new(name, long.Parse(name.Split('-')[2], CultureInfo.InvariantCulture), 0, "epoch", 1, 1, packs, "", metrics);

    private static string Name(int step) => $"c-1-{step}-aa";

    private static string Pack(int step) => CheckpointNames.PackFile(Name(step));

    private static string Manifest(int step) => CheckpointNames.ManifestFile(Name(step));
}
