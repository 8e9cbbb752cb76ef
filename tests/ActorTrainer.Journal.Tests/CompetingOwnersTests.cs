using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Sqlite;
using ActorTrainer.Journal.Tables;
using ActorTrainer.Testing;
using ActorTrainer.Testing.Journaling;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Journal.Tests;

/// <summary>
/// Random sequences of requests by owners that know little of each other: memory and SQLite give the same answers, terms only grow,
/// each term has one owner, accepted events have consecutive sequences and non-decreasing terms, and none is lost.
/// </summary>
public sealed class CompetingOwnersTests
{
    private static readonly Arbitrary<CompetingOwners.Move[]> Moves =
        (from kind in Gen.Frequency(
             (3, Gen.Constant(CompetingOwners.MoveKind.Assign)),
             (8, Gen.Constant(CompetingOwners.MoveKind.Append)),
             (3, Gen.Constant(CompetingOwners.MoveKind.SendAgain)),
             (2, Gen.Constant(CompetingOwners.MoveKind.HandOver)),
             (2, Gen.Constant(CompetingOwners.MoveKind.Claim)),
             (1, Gen.Constant(CompetingOwners.MoveKind.Restart)))
         from owner in Gen.Choose(0, CompetingOwners.Owners - 1)
         from task in Gen.Choose(0, CompetingOwners.Tasks - 1)
         from other in Gen.Choose(0, CompetingOwners.Owners - 1)
         select new CompetingOwners.Move(kind, owner, task, other)).ArrayOf().ToArbitrary();

    [Fact]
    public void Requests_RandomOrder_KeepOneWriterAndGiveTheSameAnswersEverywhere() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(60).WithEndSize(60),
            Prop.ForAll(Moves, moves =>
            {
                using var folder = new JournalFolder();
                using JournalConnection connection = JournalConnection.OpenWriter(folder.Database, create: true);
                connection.Run("PRAGMA synchronous = OFF");
                string identity = SqliteSchema.Ensure(connection, folder.Database, CompetingOwners.Shards);
                var tables = new SqliteTables(connection, identity, CompetingOwners.Shards);
                var time = new ManualTimeProvider();
                var memory = new MemoryJournal(CompetingOwners.Shards, time);
                var run = new CompetingOwners(request =>
                {
                    JournalReply reply = memory.Execute(request);
                    connection.Run("BEGIN IMMEDIATE");
                    JournalReply same = JournalRules.Execute(tables, PreparedRequest.Create(request, time, encode: true), fencing: true);
                    connection.Run("COMMIT");
                    CompetingOwners.Describe(same).ShouldBe(CompetingOwners.Describe(reply), request.ToString());
                    return reply;
                });
                foreach (CompetingOwners.Move move in moves)
                {
                    run.Do(move);
                }

                run.CheckInvariants();
                memory.CountDoubleWriters().ShouldBe(0);
            }));

    [Fact]
    public void CountDoubleWriters_WithoutFencing_FindsTheOldOwnersEvents()
    {
        var journal = new MemoryJournal(1, TimeProvider.System, fencing: false);
        var old = new ShardRow(0, 1, 1);
        var now = new ShardRow(0, 2, 2);
        journal.Execute(new AppendRequest([JournalSamples.Part("t", now, 0, "i1", JournalSamples.Submitted("t"))]));
        JournalReply reply = journal.Execute(new AppendRequest([JournalSamples.Part("t", old, 0, "i2", JournalSamples.Progressed(1))]));

        reply.ShouldBeOfType<AppendReply>().Results.ShouldBe([new AppendAccepted(2)]);
        journal.CountDoubleWriters().ShouldBe(1);
    }
}
