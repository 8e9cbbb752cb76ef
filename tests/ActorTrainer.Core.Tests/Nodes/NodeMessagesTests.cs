using System.Text.Json;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Nodes;

public sealed class NodeMessagesTests
{
    [Fact]
    public void Json_AnswerToACommandForANode_ComesBackAsItWas()
    {
        NodeMessage sent = new ForwardReply(7, new CommandAccepted(default));

        string json = JsonSerializer.Serialize(sent, NodeJsonContext.Default.NodeMessage);

        JsonSerializer.Deserialize(json, NodeJsonContext.Default.NodeMessage).ShouldBe(sent);
    }
}
