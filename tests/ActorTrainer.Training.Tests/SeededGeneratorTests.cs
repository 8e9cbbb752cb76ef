using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Training.Tests;

public sealed class SeededGeneratorTests
{
    [Fact]
    public void NextUInt64_KnownState_GivesReferenceVector()
    {
        // The authors' C code with the state 1, 2, 3, 4.
        SeededGenerator generator = new(1, 2, 3, 4);

        ulong[] values = [.. Enumerable.Range(0, 10).Select(_ => generator.NextUInt64())];

        values.ShouldBe([
            11520,
            0,
            1509978240,
            1215971899390074240,
            1216172134540287360,
            607988272756665600,
            16172922978634559625,
            8476171486693032832,
            10595114339597558777,
            2904607092377533576,
        ]);
    }

    [Fact]
    public void Constructor_Seed_FillsStateBySplitMix64()
    {
        // The reference outputs of splitmix64 for the seed 1234567.
        SeededGenerator seeded = new(1234567);
        SeededGenerator direct = new(6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431);

        for (int i = 0; i < 100; i++)
        {
            seeded.NextUInt64().ShouldBe(direct.NextUInt64());
        }
    }

    [Fact]
    public void Constructor_OtherStream_GivesOtherNumbers()
    {
        HashSet<ulong> first = [.. Enumerable.Range(0, 1000).Select(stream => new SeededGenerator(7, (ulong)stream).NextUInt64())];

        first.Count.ShouldBe(1000);
    }

    [Fact]
    public void NextGaussian_ManyDraws_HasMeanZeroAndDeviationOne()
    {
        SeededGenerator generator = new(5);
        double sum = 0,
            squares = 0;
        const int Count = 200_000;
        for (int i = 0; i < Count; i++)
        {
            double value = generator.NextGaussian();
            sum += value;
            squares += value * value;
        }

        (sum / Count).ShouldBe(0, 0.01);
        Math.Sqrt(squares / Count).ShouldBe(1, 0.01);
    }

    [Fact]
    public void Next_Bounds_AreAllReachedAndNeverLeft()
    {
        SeededGenerator generator = new(11);
        int[] counts = new int[7];
        for (int i = 0; i < 7000; i++)
        {
            counts[generator.Next(7)]++;
        }

        counts.ShouldAllBe(count => count > 850 && count < 1150);
    }

    [Fact]
    public void Load_AnyMoment_GoesOnWithSameNumbers() =>
        Prop.ForAll<ulong, byte>(
                (seed, draws) =>
                {
                    using TemporaryFolder folder = new();
                    SeededGenerator generator = new(seed);
                    for (int i = 0; i < draws; i++)
                    {
                        // An odd number of draws leaves the second half of a pair waiting, which has to be saved too.
                        generator.NextGaussian();
                    }

                    using (CheckpointWriter writer = new(folder.Path))
                    {
                        generator.Save(writer, "generator");
                        writer.Complete();
                    }

                    SeededGenerator other = new(0);
                    other.NextGaussian();
                    using CheckpointReader reader = new(folder.Path);
                    other.Load(reader, "generator");

                    for (int i = 0; i < 5; i++)
                    {
                        BitConverter
                            .DoubleToInt64Bits(other.NextGaussian())
                            .ShouldBe(BitConverter.DoubleToInt64Bits(generator.NextGaussian()));
                        other.NextUInt64().ShouldBe(generator.NextUInt64());
                    }
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Load_StateOfSomethingElse_NamesTheEntry()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.Combine("dropout.json"), """{"algorithm":"mt19937","words":["00"]}""");
        using CheckpointReader reader = new(folder.Path);

        CheckpointEntryException problem = Should.Throw<CheckpointEntryException>(() => new SeededGenerator(1).Load(reader, "dropout"));

        problem.Entry.ShouldBe("dropout");
        problem.Message.ShouldContain("mt19937");
    }
}
