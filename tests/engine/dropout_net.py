"""KHOR's network with dropout on its input: its weights depend on the state of torch's generator."""

from torch.nn.functional import dropout

from rhobin.methods.khor.net import KhorNet


class DropoutNet(KhorNet):
    def forward(self, image, object_id):
        return super().forward(dropout(image, 0.2, self.training), object_id)
