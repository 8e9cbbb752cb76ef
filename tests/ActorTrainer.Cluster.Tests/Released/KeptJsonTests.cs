using ActorTrainer.Testing.Released;

namespace ActorTrainer.Cluster.Tests.Released;

public sealed class KeptJsonTests
{
    private const string Kept = """{"name":"a","steps":[1,{"at":2.5}],"loss":"NaN"}""";

    [Theory]
    [InlineData("""{"name":"a","steps":[1,{"at":2.5}],"loss":"NaN"}""")]
    [InlineData("""{"loss":"NaN","name":"a","added":null,"steps":[1,{"added":7,"at":2.5}]}""")]
    public void ShouldBeIn_NothingIsGone_Passes(string again) => KeptJson.ShouldBeIn(Kept, again, "it");

    [Theory]
    [InlineData("""{"title":"a","steps":[1,{"at":2.5}],"loss":"NaN"}""", "/name")]
    [InlineData("""{"name":"a","steps":[1,{"time":2.5}],"loss":"NaN"}""", "/steps/1/at")]
    [InlineData("""{"name":"a","steps":[1],"loss":"NaN"}""", "/steps")]
    [InlineData("""{"name":"a","steps":[1,{"at":2.5}],"loss":0}""", "/loss")]
    [InlineData("""{"name":"b","steps":[1,{"at":2.5}],"loss":"NaN"}""", "/name")]
    public void ShouldBeIn_SomethingIsGone_FailsAndNamesIt(string again, string path) =>
        Should.Throw<ShouldAssertException>(() => KeptJson.ShouldBeIn(Kept, again, "it")).Message.ShouldContain($"\"{path}\"");
}
