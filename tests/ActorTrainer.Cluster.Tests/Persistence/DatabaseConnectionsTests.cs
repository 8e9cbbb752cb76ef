using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using Npgsql;

namespace ActorTrainer.Cluster.Tests.Persistence;

public sealed class DatabaseConnectionsTests
{
    [Fact]
    public void ConnectionString_OfPostgreSql_KeepsAFewSessionsWithTheirStatementsParsed()
    {
        NpgsqlConnectionStringBuilder made = Made("Host=db;Username=u");

        made.MaxAutoPrepare.ShouldBe(50);
        made.MaxPoolSize.ShouldBe(16);
        made.NoResetOnClose.ShouldBeTrue();
        made.Options!.ShouldContain("synchronous_commit=on");
    }

    [Fact]
    public void ConnectionString_WithTheUsersOwnSettings_KeepsThem()
    {
        NpgsqlConnectionStringBuilder made = Made(
            "Host=db;Max Auto Prepare=0;Maximum Pool Size=40;No Reset On Close=false;Options=-c work_mem=8MB"
        );

        made.MaxAutoPrepare.ShouldBe(0);
        made.MaxPoolSize.ShouldBe(40);
        made.NoResetOnClose.ShouldBeFalse();
        made.Options!.ShouldEndWith("-c work_mem=8MB");
    }

    private static NpgsqlConnectionStringBuilder Made(string text) =>
        new(DatabaseConnections.ConnectionString(new JournalModel { PostgreSql = text }));
}
