using System.Reflection;
using Akka.Cluster.Sharding;
using Akka.Persistence.Sql;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Akka.Tests;

public sealed class PackageVersionTests
{
    /// <summary>A feed may carry another patch version than the one asked for; the next line is another matter.</summary>
    [Theory]
    [InlineData(typeof(ClusterSharding))]
    [InlineData(typeof(SqlPersistence))]
    [InlineData(typeof(TestKit))]
    public void Assembly_OfAPackage_IsOfTheLineThatTheEngineIsWrittenFor(Type type)
    {
        AssemblyName assembly = type.Assembly.GetName();

        assembly.Version.ShouldNotBeNull().ToString(2).ShouldBe("1.5", assembly.Name);
    }
}
