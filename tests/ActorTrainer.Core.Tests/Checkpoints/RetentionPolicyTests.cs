using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class RetentionPolicyTests
{
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
        };
        RetentionPlan plan = RetentionPolicy.Plan(items, spec, protectedNames);

        HashSet<string> removed = plan.Remove.Select(removal => removal.Checkpoint).ToHashSet();
        RetentionItem[] kept = [.. items.Where(item => !removed.Contains(item.Checkpoint.Name))];
        RetentionItem[] good = [.. items.Where(item => !item.Damaged && !item.Overtaken)];
        RetentionItem[] valued = [.. good.Where(item => item.Checkpoint.Metrics.ContainsKey("loss"))];
        double? best =
            valued.Length == 0 ? null
            : spec.BestIsLargest ? valued.Max(item => item.Checkpoint.Metrics["loss"])
            : valued.Min(item => item.Checkpoint.Metrics["loss"]);
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
            && (
                spec.BestMetric is null
                || best is null
                || kept.Any(item =>
                    !item.Damaged && !item.Overtaken && item.Checkpoint.Metrics.GetValueOrDefault("loss", double.NaN) == best
                )
            )
            && !plan.Condemn.Any(referenced.Contains)
            && plan.Condemn.SequenceEqual(needless)
            && RetentionPolicy.Plan(kept, spec, protectedNames).IsEmpty;
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
                new RetentionItem(Ref(Name(step), [.. packs], metrics), random.Next(5) == 0, random.Next(5) == 0, random.Next(6) == 0)
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

    private static CheckpointRef Ref(string name, IReadOnlyList<string> packs, Dictionary<string, double> metrics) =>
        new(name, 0, 0, "epoch", 1, 1, packs, "", metrics);

    private static string Name(int step) => $"c-1-{step}-aa";

    private static string Pack(int step) => CheckpointNames.PackFile(Name(step));

    private static string Manifest(int step) => CheckpointNames.ManifestFile(Name(step));
}
