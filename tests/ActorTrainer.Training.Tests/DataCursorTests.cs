using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Training.Tests;

public sealed class DataCursorTests
{
    [Fact]
    public void Next_OneEpoch_GivesEverySampleOnce()
    {
        DataCursor cursor = new(count: 10, batchSize: 4, seed: 3);

        List<int> seen = Draw(cursor, cursor.BatchesPerEpoch);

        seen.Order().ShouldBe(Enumerable.Range(0, 10));
        cursor.Epoch.ShouldBe(1);
        cursor.AtEpochBoundary.ShouldBeTrue();
    }

    [Fact]
    public void Next_TwoEpochs_HaveDifferentOrders()
    {
        DataCursor cursor = new(count: 50, batchSize: 50, seed: 3);

        List<int> first = Draw(cursor, 1);

        Draw(cursor, 1).ShouldNotBe(first);
    }

    [Fact]
    public void Next_LastBatch_IsSmaller()
    {
        DataCursor cursor = new(count: 10, batchSize: 4, seed: 3);
        Draw(cursor, 2);

        cursor.Next(new int[4]).Length.ShouldBe(2);
    }

    [Fact]
    public void Next_ShortBuffer_IsRefused() => Should.Throw<ArgumentException>(() => new DataCursor(10, 4, 3).Next(new int[3]).Length);

    [Fact]
    public void Load_AnyMoment_GoesOnInUninterruptedOrder() =>
        Prop.ForAll<PositiveInt, PositiveInt, byte>(
                (count, batchSize, batches) =>
                {
                    using TemporaryFolder folder = new();
                    DataCursor whole = new(count.Get, batchSize.Get, seed: 9);
                    DataCursor interrupted = new(count.Get, batchSize.Get, seed: 9);
                    List<int> expected = Draw(whole, batches + 20);
                    List<int> actual = Draw(interrupted, batches);
                    using (CheckpointWriter writer = new(folder.Path))
                    {
                        interrupted.Save(writer, "cursor");
                        writer.Complete();
                    }

                    DataCursor resumed = new(count.Get, batchSize.Get, seed: 0);
                    using CheckpointReader reader = new(folder.Path);
                    resumed.Load(reader, "cursor");
                    actual.AddRange(Draw(resumed, 20));

                    actual.ShouldBe(expected);
                    resumed.Position.ShouldBe(whole.Position);
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Load_DataOfAnotherSize_IsRefused()
    {
        using TemporaryFolder folder = new();
        using (CheckpointWriter writer = new(folder.Path))
        {
            new DataCursor(10, 4, 3).Save(writer, "cursor");
            writer.Complete();
        }

        using CheckpointReader reader = new(folder.Path);

        Should
            .Throw<CheckpointEntryException>(() => new DataCursor(11, 4, 3).Load(reader, "cursor"))
            .Message.ShouldContain("10 samples, but the data has 11");
    }

    private static List<int> Draw(DataCursor cursor, int batches)
    {
        List<int> drawn = [];
        int[] buffer = new int[cursor.BatchSize];
        for (int i = 0; i < batches; i++)
        {
            drawn.AddRange(cursor.Next(buffer));
        }

        return drawn;
    }
}
